import { constants, statSync } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import { count } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";

/** Size and time of a file; zeros if it does not exist or may not be read. */
export interface FileStats {
  bytes: number;
  mtime_ms: number;
}

/** Restrictions on the files that may be read. */
export interface ReadLimits {
  max_pixels: number;
  follow_links: boolean;
}

/** An image's file, or why it cannot be read: expected and found, without its name. */
export type ImageFile = FileStats & ({ content: Buffer; problem: null } | { content: null; problem: string });

/**
 * Reads the whole file. A link may point anywhere inside the folder, and outside only if that is allowed; the
 * folder itself may be a link.
 *
 * @param images_dir the folder's real path.
 */
export async function readImage(
  images_dir: string,
  file_name: string,
  limits: ReadLimits,
): Promise<ImageFile> {
  const stats = statImage(images_dir, file_name);
  try {
    return { ...stats, content: await readInside(images_dir, file_name, limits), problem: null };
  } catch (error) {
    return { ...stats, content: null, problem: describeProblem(error) };
  }
}

/** Current size and time of an image's file; zeros for a name that points outside the folder. */
export function statImage(images_dir: string, file_name: string): FileStats {
  try {
    if (!leadsOut(file_name)) {
      const { size, mtimeMs } = statSync(join(images_dir, file_name));
      return { bytes: size, mtime_ms: mtimeMs };
    }
  } catch {
    // Reading the file reports the reason.
  }
  return { bytes: 0, mtime_ms: 0 };
}

/** No permitted format needs more per pixel (16 bits, four channels), apart from header and metadata. */
const max_bytes_per_pixel = 8;
const header_bytes = 16_000_000;

async function readInside(
  images_dir: string,
  file_name: string,
  { max_pixels, follow_links }: ReadLimits,
): Promise<Buffer> {
  if (leadsOut(file_name)) throw invalid("expected a path inside the folder, found one that points outside");
  let handle: FileHandle | undefined;
  try {
    const path = await realpath(join(images_dir, file_name));
    if (!follow_links && !path.startsWith(images_dir.endsWith(sep) ? images_dir : images_dir + sep))
      throw invalid(
        "expected a file inside the folder, found a symbolic link that points outside; use `prepare --follow-links` to follow it",
      );
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // A named pipe would block.
    const stats = await handle.stat();
    if (!stats.isFile())
      throw invalid(`expected a file, found a ${stats.isDirectory() ? "folder" : "device"}`);
    const max_bytes = max_pixels * max_bytes_per_pixel + header_bytes;
    if (stats.size > max_bytes)
      throw invalid(
        `expected at most ${count(max_bytes)} bytes for ${count(max_pixels)} pixels, found ${count(stats.size)}; --max-pixels raises the limit`,
      );
    return await handle.readFile();
  } finally {
    await handle?.close();
  }
}

function leadsOut(file_name: string): boolean {
  return file_name.includes("\0") || isAbsolute(file_name) || file_name.split(/[/\\]/).includes("..");
}

function describeProblem(error: unknown): string {
  if (error instanceof CliprpnError) return error.message;
  if (error instanceof Error && "code" in error) {
    if (error.code === "ENOENT") return "expected a file, found none";
    return `expected a readable file, found ${error.code}`;
  }
  return `expected a readable file: ${String(error)}`;
}

function invalid(message: string): CliprpnError {
  return new CliprpnError("data_invalid", message);
}
