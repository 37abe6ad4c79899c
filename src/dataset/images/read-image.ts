import { constants, statSync } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import { count } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";

/** Of an image's file; zeros where there is none, or where it may not be looked at. */
export interface FileFacts {
  bytes: number;
  mtime_ms: number;
}

/** What may be read. */
export interface ReadLimits {
  max_pixels: number;
  follow_links: boolean;
}

/** An image's file, or why it cannot be had: what was expected and found, without its name. */
export type ImageFile = FileFacts & ({ content: Buffer; problem: null } | { content: null; problem: string });

/**
 * The whole file. A link may point to wherever inside of the folder, and out of it where that is allowed; the folder itself may
 * be a link.
 *
 * @param images_dir the folder's real path.
 */
export async function readImage(
  images_dir: string,
  file_name: string,
  limits: ReadLimits,
): Promise<ImageFile> {
  const facts = factsOf(images_dir, file_name);
  try {
    return { ...facts, content: await readInside(images_dir, file_name, limits), problem: null };
  } catch (error) {
    return { ...facts, content: null, problem: said(error) };
  }
}

/** Size and time of an image's file now; a name that leads out of the folder is not looked up. */
export function factsOf(images_dir: string, file_name: string): FileFacts {
  try {
    if (!leadsOut(file_name)) {
      const { size, mtimeMs } = statSync(join(images_dir, file_name));
      return { bytes: size, mtime_ms: mtimeMs };
    }
  } catch {
    // Whoever reads it will say why it cannot be.
  }
  return { bytes: 0, mtime_ms: 0 };
}

/** No format in use spends more on a pixel (16 bits, four channels), but for its header and metadata. */
const most_bytes_per_pixel = 8;
const header_bytes = 16_000_000;

async function readInside(
  images_dir: string,
  file_name: string,
  { max_pixels, follow_links }: ReadLimits,
): Promise<Buffer> {
  if (leadsOut(file_name))
    throw invalid("expected a name inside of the folder, found one that leads out of it");
  let handle: FileHandle | undefined;
  try {
    const path = await realpath(join(images_dir, file_name));
    if (!follow_links && !path.startsWith(images_dir.endsWith(sep) ? images_dir : images_dir + sep))
      throw invalid(
        "expected a file inside of the folder, found a link that leads out of it; `prepare --follow-links` follows it",
      );
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // A named pipe would wait for its writer.
    const facts = await handle.stat();
    if (!facts.isFile())
      throw invalid(`expected a file, found a ${facts.isDirectory() ? "folder" : "device"}`);
    const most_bytes = max_pixels * most_bytes_per_pixel + header_bytes;
    if (facts.size > most_bytes)
      throw invalid(
        `expected at most ${count(most_bytes)} bytes for ${count(max_pixels)} pixels, found ${count(facts.size)}; --max-pixels raises the limit`,
      );
    return await handle.readFile();
  } finally {
    await handle?.close();
  }
}

function leadsOut(file_name: string): boolean {
  return file_name.includes("\0") || isAbsolute(file_name) || file_name.split(/[/\\]/).includes("..");
}

function said(error: unknown): string {
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
