import { lstatSync, mkdirSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { checkDiskSpace, diskFullError } from "../../base/disk-space.ts";
import { messageOf } from "../../base/zip-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import {
  baseName,
  checkEntries,
  entriesByBaseName,
  entriesByPath,
  openArchive,
  readEntries,
  type WantedEntry,
} from "./zip-archive.ts";

interface ExtractionOptions {
  archive: string;
  /** Output folder; each file becomes `folder/NAME`. */
  folder: string;
  /** Larger files are refused. */
  max_file_bytes: number;
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ExtractOptions extends ExtractionOptions {
  /** File names; an entry matches by the last part of its path, as in COCO's `train2014/NAME`. */
  wanted: string[];
}

export interface ExtractPathsOptions extends Omit<ExtractionOptions, "max_file_bytes"> {
  /** Path in the archive to the name of the file below `folder`. */
  files: ReadonlyMap<string, string>;
}

export interface Extracted {
  num_extracted: number;
  /** Extracted before, with the right size. */
  num_kept: number;
  /** In the archive, but not extractable. */
  refused: { file_name: string; problem: string }[];
}

/** Larger than any image of a dataset. */
export const MAX_IMAGE_BYTES = 200_000_000;

/**
 * Extracts the wanted files from a zip archive of any size. Each goes to a temporary file and is renamed once
 * its checksum matches. Files extracted before are kept. No path in the archive decides where a file is
 * written.
 *
 * @throws CliprpnError data_invalid if it is not a complete zip archive, a path points outside it, a name
 *   occurs twice, or entries overlap; no_space; interrupted.
 */
export async function extractFiles(options: ExtractOptions): Promise<Extracted & { missing: string[] }> {
  const { archive } = options;
  return withZip(archive, async (zip) => {
    const entries = entriesByBaseName(await readEntries(zip, archive), archive, options.wanted);
    const names = new Set(entries.map(({ file_name }) => file_name));
    const missing = [...new Set(options.wanted)].filter((name) => !names.has(name));
    return { ...(await extractEntries(zip, entries, options)), missing };
  });
}

/** `extractFiles` for images, by their paths in the archive. */
export async function extractZipPaths(options: ExtractPathsOptions): Promise<Extracted> {
  const { archive, files } = options;
  return withZip(archive, async (zip) =>
    extractEntries(zip, entriesByPath(await readEntries(zip, archive), archive, files), {
      ...options,
      max_file_bytes: MAX_IMAGE_BYTES,
    }),
  );
}

/** The paths of the files in a zip archive. */
export function listZip(archive: string): Promise<string[]> {
  return withZip(archive, async (zip) => (await readEntries(zip, archive)).map(({ fileName }) => fileName));
}

async function withZip<T>(archive: string, use: (zip: ZipFile) => Promise<T>): Promise<T> {
  const zip = await openArchive(archive);
  try {
    return await use(zip);
  } finally {
    zip.close();
  }
}

async function extractEntries(
  zip: ZipFile,
  entries: readonly WantedEntry[],
  options: ExtractionOptions,
): Promise<Extracted> {
  const { archive, folder, onProgress } = options;
  const { wanted, refused } = checkEntries(archive, entries, options.max_file_bytes);
  mkdirSync(folder, { recursive: true });
  const remaining = wanted.filter(({ file_name, entry }) => !isExtracted(folder, file_name, entry));
  const num_kept = wanted.length - remaining.length;
  await checkDiskSpace({
    folder,
    needed_bytes: remaining.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0),
    what: "the files of the archive",
    advice: "choose a folder on another disk",
  });
  const broken: Extracted["refused"] = [];
  let done = num_kept;
  onProgress?.(done, wanted.length);
  await inLanes(remaining, async (next, lane) => {
    const problem = await extractEntry(zip, next, join(folder, `.extracting-${lane}`), options);
    if (problem !== undefined) broken.push({ file_name: next.file_name, problem });
    done += 1;
    onProgress?.(done, wanted.length);
  });
  const num_extracted = remaining.length - broken.length;
  return { num_extracted, num_kept, refused: [...refused, ...broken] };
}

function isExtracted(folder: string, file_name: string, { uncompressedSize }: Entry): boolean {
  const stats = lstatSync(join(folder, file_name), { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === uncompressedSize;
}

/** Files extracted at once. */
const num_lanes = 4;

async function inLanes<T>(items: T[], work: (item: T, lane: number) => Promise<void>): Promise<void> {
  const queue = items.values();
  let failed = false;
  const lane = async (_: unknown, index: number): Promise<void> => {
    for (const item of queue) {
      if (failed) return;
      try {
        await work(item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: num_lanes }, lane));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Returns the problem if the entry itself is broken. */
async function extractEntry(
  zip: ZipFile,
  { file_name, entry }: WantedEntry,
  temporary: string,
  { folder, signal }: ExtractionOptions,
): Promise<string | undefined> {
  await rm(temporary, { force: true }); // Left by a run that was killed.
  try {
    const problem = await inflate(zip, entry, temporary, signal);
    if (problem === undefined) {
      await mkdir(dirname(join(folder, file_name)), { recursive: true });
      await rename(temporary, join(folder, file_name));
    }
    return problem;
  } catch (error) {
    throw diskFullError(folder, error) ?? error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function inflate(
  zip: ZipFile,
  entry: Entry,
  file: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const handle = await open(file, "wx");
  try {
    let checksum = 0;
    for await (const chunk of readEntry(zip, entry)) {
      if (signal?.aborted) throw new CliprpnError("interrupted", "interrupted");
      checksum = crc32(chunk, checksum);
      await handle.writeFile(chunk);
    }
    return checksum === entry.crc32
      ? undefined
      : "expected the CRC-32 checksum stored in the archive, found a different one";
  } catch (error) {
    if (error instanceof BrokenEntry) return error.message;
    throw error;
  } finally {
    await handle.close();
  }
}

class BrokenEntry extends Error {}

/** The entry's bytes; yauzl stops when there are more than the entry declares. @throws BrokenEntry. */
async function* readEntry(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  try {
    const stream: AsyncIterable<Buffer> = await zip.openReadStreamPromise(entry);
    yield* stream;
  } catch (error) {
    throw new BrokenEntry(
      `expected a complete entry ${baseName(entry.fileName)}, found: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
