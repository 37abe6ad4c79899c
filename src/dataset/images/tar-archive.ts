import { createReadStream, lstatSync, mkdirSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Parser, type ReadEntry } from "tar";
import { diskFullError } from "../../base/disk-space.ts";
import { count } from "../../base/format.ts";
import { messageOf } from "../../base/zip-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { type Extracted, type ExtractPathsOptions, MAX_IMAGE_BYTES } from "./extract-zip.ts";
import { isInside } from "./find/written-name.ts";

/**
 * The paths of the files in a tar archive, compressed or not, without `./` at their start.
 *
 * @throws CliprpnError data_invalid if it is not a complete archive, a path points outside it, or occurs twice.
 */
export async function listTar(archive: string, signal?: AbortSignal): Promise<string[]> {
  const paths = new Set<string>();
  await readTar(archive, signal, (entry) => {
    if (!isFile(entry)) return undefined;
    const path = pathOf(entry, archive);
    if (paths.has(path))
      throw new CliprpnError(
        "data_invalid",
        `${archive}: expected one ${path}, found two; unpack it and pass the folder`,
      );
    paths.add(path);
    return undefined;
  });
  return [...paths];
}

/**
 * Extracts files by their paths in the archive. Each goes to a temporary file and is renamed once it is complete;
 * files extracted before are kept. No path in the archive decides where a file is written.
 *
 * @throws CliprpnError data_invalid if the archive is not complete; no_space; interrupted.
 */
export async function extractTarPaths(options: ExtractPathsOptions): Promise<Extracted> {
  const { archive, folder, files, onProgress, signal } = options;
  mkdirSync(folder, { recursive: true });
  const refused: Extracted["refused"] = [];
  let [num_kept, num_extracted] = [0, 0];
  const report = (): void => onProgress?.(num_kept + num_extracted + refused.length, files.size);
  report();
  await readTar(archive, signal, (entry) => {
    const file_name = isFile(entry) ? files.get(pathOf(entry, archive)) : undefined;
    if (file_name === undefined) return undefined;
    if (entry.size > MAX_IMAGE_BYTES) {
      const problem = `expected at most ${count(MAX_IMAGE_BYTES)} bytes, found ${count(entry.size)}`;
      refused.push({ file_name, problem });
      return undefined;
    }
    const file = join(folder, file_name);
    if (hasSize(file, entry.size)) {
      num_kept += 1;
      report();
      return undefined;
    }
    return async () => {
      await writeEntry(entry, file, folder);
      num_extracted += 1;
      report();
    };
  });
  return { num_extracted, num_kept, refused };
}

/** Reads the entries in order; `visit` returns what to do with the content, or nothing to skip it. */
function readTar(
  archive: string,
  signal: AbortSignal | undefined,
  visit: (entry: ReadEntry) => (() => Promise<void>) | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const input = createReadStream(archive, { highWaterMark: chunk_bytes });
    // The content of the next entry waits in its stream.
    let writing: Promise<void> = Promise.resolve();
    const fail = (error: unknown): void => {
      input.destroy();
      reject(error instanceof CliprpnError ? error : incomplete(archive, error));
    };
    const parser = new Parser({
      strict: true,
      maxMetaEntrySize: MAX_HEADER_BYTES,
      onReadEntry: (entry) => {
        try {
          if (signal?.aborted) throw new CliprpnError("interrupted", "interrupted");
          const work = visit(entry);
          if (work === undefined) return entry.resume();
          writing = writing.then(work).catch(fail);
        } catch (error) {
          fail(error);
        }
        return undefined;
      },
    });
    parser.on("error", fail);
    parser.on("end", () => writing.then(resolve, fail));
    input.on("error", fail);
    input.on("data", (chunk) => {
      if (signal?.aborted) return fail(new CliprpnError("interrupted", "interrupted"));
      if (!parser.write(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk))) input.pause();
    });
    parser.on("drain", () => input.resume());
    input.on("end", () => parser.end());
  });
}

const chunk_bytes = 1024 * 1024;
const MAX_HEADER_BYTES = 1_000_000;

function incomplete(archive: string, cause: unknown): CliprpnError {
  if (cause instanceof Error && "syscall" in cause)
    return new CliprpnError(
      "data_invalid",
      `${archive}: its files cannot be extracted: ${messageOf(cause)}`,
      { cause },
    );
  return new CliprpnError(
    "data_invalid",
    `${archive}: expected a complete tar archive, found: ${messageOf(cause)}; download it again`,
    { cause },
  );
}

function isFile({ type }: ReadEntry): boolean {
  return type === "File" || type === "OldFile" || type === "ContiguousFile";
}

/** @throws CliprpnError data_invalid if a path points outside the archive. */
function pathOf({ path }: ReadEntry, archive: string): string {
  if (!isInside(path))
    throw new CliprpnError(
      "data_invalid",
      `${archive}: expected paths inside the archive, found ${JSON.stringify(path)}`,
    );
  return path.replace(/^(\.\/)+/, "");
}

function hasSize(file: string, bytes: number): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === bytes;
}

async function writeEntry(entry: ReadEntry, file: string, folder: string): Promise<void> {
  const temporary = join(folder, ".extracting-0");
  try {
    await rm(temporary, { force: true }); // Left by a run that was killed.
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(temporary, "wx");
    try {
      for await (const chunk of entry) await handle.writeFile(chunk);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    throw diskFullError(folder, error) ?? error;
  }
}
