import type { Entry, ZipFile } from "yauzl";
import { findOverlap, messageOf, openZip, problemOf } from "../../base/zip-file.ts";
import { CliprpnError } from "../../contract/errors.ts";

/** @throws CliprpnError not_found; data_invalid if it is not a complete zip archive. */
export async function openArchive(archive: string): Promise<ZipFile> {
  try {
    return await openZip(archive);
  } catch (error) {
    if (error instanceof Error && "syscall" in error)
      throw new CliprpnError("not_found", `${archive}: expected a zip archive, found no readable file`, {
        cause: error,
      });
    throw new CliprpnError(
      "data_invalid",
      `${archive}: expected a complete zip archive, found: ${messageOf(error)}; download it again`,
      { cause: error },
    );
  }
}

export interface WantedEntry {
  file_name: string;
  entry: Entry;
}

export interface Entries {
  /** In archive order. */
  wanted: WantedEntry[];
  refused: { file_name: string; problem: string }[];
}

/**
 * The entries of an archive's directory that are not folders; reads none of the files.
 *
 * @throws CliprpnError data_invalid if a path points outside the archive.
 */
export async function readEntries(zip: ZipFile, archive: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of readDirectory(zip, archive))
    if (!entry.fileName.endsWith("/")) entries.push(entry);
  return entries;
}

/**
 * The entries with these file names, in any folder of the archive.
 *
 * @throws CliprpnError data_invalid if a name occurs twice.
 */
export function entriesByBaseName(
  entries: readonly Entry[],
  archive: string,
  names: readonly string[],
): WantedEntry[] {
  const isWanted = new Set(names.map(checkedName));
  return once(
    archive,
    entries
      .map((entry) => ({ file_name: baseName(entry.fileName), entry }))
      .filter(({ file_name }) => isWanted.has(file_name)),
  );
}

/**
 * The entries with these paths.
 *
 * @param files path in the archive to the name of the extracted file.
 * @throws CliprpnError data_invalid if a path occurs twice.
 */
export function entriesByPath(
  entries: readonly Entry[],
  archive: string,
  files: ReadonlyMap<string, string>,
): WantedEntry[] {
  return once(
    archive,
    entries.flatMap((entry) => {
      const file_name = files.get(entry.fileName);
      return file_name === undefined ? [] : [{ file_name, entry }];
    }),
  );
}

function once(archive: string, wanted: WantedEntry[]): WantedEntry[] {
  const seen = new Map<string, Entry>();
  for (const { file_name, entry } of wanted) {
    const earlier = seen.get(file_name);
    if (earlier !== undefined)
      throw invalid(
        archive,
        `expected one ${file_name}, found two: ${quoted(earlier.fileName)} and ${quoted(entry.fileName)}`,
      );
    seen.set(file_name, entry);
  }
  return wanted;
}

/**
 * Sorts out entries that cannot be extracted.
 *
 * @throws CliprpnError data_invalid if entries overlap.
 */
export function checkEntries(
  archive: string,
  entries: readonly WantedEntry[],
  max_file_bytes: number,
): Entries {
  const sorted = [...entries].sort(
    (a, b) => a.entry.relativeOffsetOfLocalHeader - b.entry.relativeOffsetOfLocalHeader,
  );
  refuseOverlaps(archive, sorted);
  const checked = sorted.map((wantedEntry) => ({
    ...wantedEntry,
    problem: problemOf(wantedEntry.entry, max_file_bytes),
  }));
  return {
    wanted: checked.filter(({ problem }) => problem === undefined),
    refused: checked.flatMap(({ file_name, problem }) =>
      problem === undefined ? [] : { file_name, problem },
    ),
  };
}

/** The last part of an entry's path; empty for a folder. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function checkedName(name: string): string {
  if (!/[/\\\0]/.test(name) && !["", ".", ".."].includes(name)) return name;
  throw new CliprpnError("bad_input", `${quoted(name)}: expected a file name, found a path`);
}

/** yauzl itself refuses absolute paths, drive letters and `..`. */
async function* readDirectory(zip: ZipFile, archive: string): AsyncGenerator<Entry> {
  try {
    yield* zip.eachEntry();
  } catch (error) {
    throw invalid(archive, `expected a valid archive, found: ${messageOf(error)}`);
  }
}

function refuseOverlaps(archive: string, entries: WantedEntry[]): void {
  const overlap = findOverlap(entries.map(({ entry }) => entry));
  if (overlap === undefined) return;
  const [first, second] = overlap.map(({ fileName }) => baseName(fileName));
  throw invalid(archive, `expected separate entries, but ${first} and ${second} overlap`);
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function invalid(archive: string, message: string): CliprpnError {
  return new CliprpnError("data_invalid", `${archive}: ${message}`);
}
