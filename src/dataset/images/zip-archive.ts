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
  missing: string[];
  refused: { file_name: string; problem: string }[];
}

/**
 * Looks up the wanted files in an archive's directory; reads none of the files.
 *
 * @throws CliprpnError data_invalid if a path points outside the archive, a name occurs twice, or entries
 *   overlap.
 */
export async function findEntries(
  zip: ZipFile,
  { archive, wanted, max_file_bytes }: { archive: string; wanted: string[]; max_file_bytes: number },
): Promise<Entries> {
  const entries = new Map<string, Entry>();
  const names = new Set(wanted.map(checkedName));
  for await (const entry of readDirectory(zip, archive)) {
    const name = baseName(entry.fileName);
    if (!names.has(name)) continue;
    const earlier = entries.get(name);
    if (earlier !== undefined)
      throw invalid(
        archive,
        `expected one ${name}, found two: ${quoted(earlier.fileName)} and ${quoted(entry.fileName)}`,
      );
    entries.set(name, entry);
  }
  const sorted = [...entries].map(([file_name, entry]) => ({ file_name, entry }));
  sorted.sort((a, b) => a.entry.relativeOffsetOfLocalHeader - b.entry.relativeOffsetOfLocalHeader);
  refuseOverlaps(archive, sorted);
  const checked = sorted.map((wantedEntry) => ({
    ...wantedEntry,
    problem: problemOf(wantedEntry.entry, max_file_bytes),
  }));
  return {
    wanted: checked.filter(({ problem }) => problem === undefined),
    missing: [...names].filter((name) => !entries.has(name)),
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
