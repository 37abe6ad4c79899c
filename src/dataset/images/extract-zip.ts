import { lstatSync, mkdirSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { checkDiskSpace, diskFullError } from "../../base/disk-space.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { openArchive } from "./open-archive.ts";
import { baseName, type FoundEntry, findEntries } from "./zip-entries.ts";

export interface ExtractOptions {
  archive: string;
  /** Plain names; an entry is one of them by the last part of its path, as in COCO's `train2014/NAME`. */
  wanted: string[];
  /** Where they go, each as `folder/NAME`. */
  folder: string;
  /** A file with more is refused. */
  max_file_bytes: number;
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface Extracted {
  num_extracted: number;
  /** Were there before, of the right size. */
  num_kept: number;
  /** Wanted, and not in the archive. */
  missing: string[];
  /** In the archive, and not to be had. */
  refused: { file_name: string; problem: string }[];
}

/** What no image of a data set reaches. */
const MAX_IMAGE_BYTES = 200_000_000;

/** As `extractFiles`, with the limit of images. */
export function extractImages(
  options: Omit<ExtractOptions, "max_file_bytes"> & { max_file_bytes?: number },
): Promise<Extracted> {
  return extractFiles({ max_file_bytes: MAX_IMAGE_BYTES, ...options });
}

/**
 * Takes the wanted files out of a zip archive of any size, each written beside, its checksum compared, and renamed. What was
 * taken out before is kept; nothing is ever written under a path of the archive's own.
 *
 * @throws CliprpnError data_invalid for what is no whole zip archive, and for one whose names lead out of it or come twice, or
 *   whose entries share their bytes; no_space; interrupted.
 */
export async function extractFiles(options: ExtractOptions): Promise<Extracted> {
  const { archive, folder, onProgress } = options;
  const zip = await openArchive(archive);
  try {
    const found = await findEntries(zip, options);
    mkdirSync(folder, { recursive: true });
    const left = found.entries.filter(({ file_name, entry }) => !isThere(folder, file_name, entry));
    const num_kept = found.entries.length - left.length;
    await checkDiskSpace({
      folder,
      needed_bytes: left.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0),
      what: "the files of the archive",
      advice: "choose a folder on another disk",
    });
    const refused = [...found.refused];
    let done = num_kept;
    onProgress?.(done, found.entries.length);
    await inLanes(left, async (next, lane) => {
      const problem = await extract(zip, next, join(folder, `.extracting-${lane}`), options);
      if (problem !== undefined) refused.push({ file_name: next.file_name, problem });
      done += 1;
      onProgress?.(done, found.entries.length);
    });
    const num_extracted = left.length - (refused.length - found.refused.length);
    return { num_extracted, num_kept, missing: found.missing, refused };
  } finally {
    zip.close();
  }
}

function isThere(folder: string, file_name: string, { uncompressedSize }: Entry): boolean {
  const stats = lstatSync(join(folder, file_name), { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === uncompressedSize;
}

/** Files that are taken out at once. */
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
  const ends = await Promise.allSettled(Array.from({ length: num_lanes }, lane));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Returns what is wrong with the entry itself. */
async function extract(
  zip: ZipFile,
  { file_name, entry }: FoundEntry,
  beside: string,
  { folder, signal }: ExtractOptions,
): Promise<string | undefined> {
  await rm(beside, { force: true }); // Left by one that was killed.
  try {
    const problem = await inflate(zip, entry, beside, signal);
    if (problem === undefined) await rename(beside, join(folder, file_name));
    return problem;
  } catch (error) {
    throw diskFullError(folder, error) ?? error;
  } finally {
    await rm(beside, { force: true });
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
    let sum = 0;
    for await (const chunk of chunksOf(zip, entry)) {
      if (signal?.aborted) throw new CliprpnError("interrupted", "interrupted");
      sum = crc32(chunk, sum);
      await handle.writeFile(chunk);
    }
    return sum === entry.crc32 ? undefined : "expected the checksum (CRC-32) of the archive, found another";
  } catch (error) {
    if (error instanceof BrokenEntry) return error.message;
    throw error;
  } finally {
    await handle.close();
  }
}

class BrokenEntry extends Error {}

/** The entry's bytes; yauzl ends them where they become more than the entry says. @throws BrokenEntry. */
async function* chunksOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  try {
    const stream: AsyncIterable<Buffer> = await zip.openReadStreamPromise(entry);
    yield* stream;
  } catch (error) {
    throw new BrokenEntry(
      `expected a whole entry ${baseName(entry.fileName)}, found: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}
