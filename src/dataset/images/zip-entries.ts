import type { Entry, ZipFile } from "yauzl";
import { count } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";

export interface FoundEntry {
  file_name: string;
  entry: Entry;
}

export interface FoundEntries {
  /** In the order in which they lie in the archive. */
  entries: FoundEntry[];
  missing: string[];
  refused: { file_name: string; problem: string }[];
}

export interface EntriesQuestion {
  archive: string;
  wanted: string[];
  max_file_bytes: number;
}

/**
 * Finds the wanted files in an archive's directory; nothing is read of the files themselves.
 *
 * @throws CliprpnError data_invalid where a name leads out of the archive or comes twice, or where entries share bytes.
 */
export async function findEntries(zip: ZipFile, question: EntriesQuestion): Promise<FoundEntries> {
  const { archive, wanted, max_file_bytes } = question;
  const found = new Map<string, Entry>();
  const names = new Set(wanted.map(plainName));
  for await (const entry of entriesOf(zip, archive)) {
    const name = baseName(entry.fileName);
    if (!names.has(name)) continue;
    const other = found.get(name);
    if (other !== undefined)
      throw invalid(
        archive,
        `expected one ${name}, found two: ${shown(other.fileName)} and ${shown(entry.fileName)}`,
      );
    found.set(name, entry);
  }
  const all = [...found].map(([file_name, entry]) => ({ file_name, entry }));
  all.sort((a, b) => a.entry.relativeOffsetOfLocalHeader - b.entry.relativeOffsetOfLocalHeader);
  refuseOverlaps(archive, all);
  const judged = all.map((one) => ({ ...one, problem: problemOf(one.entry, max_file_bytes) }));
  return {
    entries: judged.filter(({ problem }) => problem === undefined),
    missing: [...names].filter((name) => !found.has(name)),
    refused: judged.flatMap(({ file_name, problem }) =>
      problem === undefined ? [] : { file_name, problem },
    ),
  };
}

/** The last part of an entry's path; empty for a folder. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function plainName(name: string): string {
  if (!/[/\\\0]/.test(name) && !["", ".", ".."].includes(name)) return name;
  throw new CliprpnError("bad_input", `${shown(name)}: expected the plain name of a file, found a path`);
}

/** yauzl itself refuses absolute names, drives and `..`. */
async function* entriesOf(zip: ZipFile, archive: string): AsyncGenerator<Entry> {
  try {
    yield* zip.eachEntry();
  } catch (error) {
    throw invalid(
      archive,
      `expected a sound archive, found: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** A small archive may say that a thousand files are the same bytes of it. */
function refuseOverlaps(archive: string, entries: FoundEntry[]): void {
  let end = 0;
  let before = "";
  for (const { file_name, entry } of entries) {
    if (entry.relativeOffsetOfLocalHeader < end)
      throw invalid(
        archive,
        `expected files with bytes of their own, found ${before} and ${file_name} to share theirs`,
      );
    end = entry.relativeOffsetOfLocalHeader + local_header_bytes + entry.compressedSize;
    before = file_name;
  }
}

/** At least: its name follows. */
const local_header_bytes = 30;

function problemOf(entry: Entry, max_file_bytes: number): string | undefined {
  const kind = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (kind === 0o120000) return "expected a file, found a link";
  if (kind !== 0 && kind !== 0o100000) return "expected a file, found another kind of entry";
  if (entry.isEncrypted()) return "expected a file, found an encrypted one";
  if (!entry.canDecodeFileData())
    return `expected a stored or deflated file, found compression method ${entry.compressionMethod}`;
  if (entry.uncompressedSize > max_file_bytes)
    return `expected at most ${count(max_file_bytes)} bytes, found ${count(entry.uncompressedSize)}`;
  return undefined;
}

function shown(name: string): string {
  return JSON.stringify(name);
}

function invalid(archive: string, message: string): CliprpnError {
  return new CliprpnError("data_invalid", `${archive}: ${message}`);
}
