import { closeSync, fstatSync, openSync, read } from "node:fs";
import { Readable } from "node:stream";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { count } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";

/** @throws CliprpnError not_found; data_invalid if it is not a complete zip archive. */
export async function openArchive(archive: string): Promise<ZipFile> {
  const fd = openFile(archive);
  try {
    const { size } = fstatSync(fd);
    return await fromRandomAccessReaderPromise(new BoundedReader(fd, size), size, { autoClose: false });
  } catch (error) {
    closeSync(fd);
    throw new CliprpnError(
      "data_invalid",
      `${archive}: expected a complete zip archive, found: ${messageOf(error)}; download it again`,
      { cause: error },
    );
  }
}

function openFile(archive: string): number {
  try {
    return openSync(archive, "r");
  } catch (error) {
    throw new CliprpnError("not_found", `${archive}: expected a zip archive, found no readable file`, {
      cause: error,
    });
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

/** In a zip bomb, a thousand entries can point to the same bytes. */
function refuseOverlaps(archive: string, entries: WantedEntry[]): void {
  let end = 0;
  let previous = "";
  for (const { file_name, entry } of entries) {
    if (entry.relativeOffsetOfLocalHeader < end)
      throw invalid(archive, `expected separate entries, but ${previous} and ${file_name} overlap`);
    end = entry.relativeOffsetOfLocalHeader + local_header_bytes + entry.compressedSize;
    previous = file_name;
  }
}

/** Its minimum size; the file name follows it. */
const local_header_bytes = 30;

function problemOf(entry: Entry, max_file_bytes: number): string | undefined {
  const file_type = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (file_type === 0o120000) return "expected a file, found a link";
  if (file_type !== 0 && file_type !== 0o100000) return "expected a file, found another kind of entry";
  if (entry.isEncrypted()) return "expected a file, found an encrypted one";
  if (!entry.canDecodeFileData())
    return `expected a stored or deflated file, found compression method ${entry.compressionMethod}`;
  if (entry.uncompressedSize > max_file_bytes)
    return `expected at most ${count(max_file_bytes)} bytes, found ${count(entry.uncompressedSize)}`;
  return undefined;
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function invalid(archive: string, message: string): CliprpnError {
  return new CliprpnError("data_invalid", `${archive}: ${message}`);
}

/** The message of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * yauzl's own reader throws an uncatchable error when an archive points beyond the largest offset that Node
 * can seek to.
 */
class BoundedReader extends RandomAccessReader {
  readonly #fd: number;
  readonly #size: number;

  constructor(fd: number, size: number) {
    super();
    this.#fd = fd;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    const isInside = 0 <= position && position + length <= this.#size;
    if (isInside) read(this.#fd, buffer, offset, length, position, callback);
    else setImmediate(callback, beyondEnd());
  }

  // Not Node's file stream: destroying one closes the file that the others still read.
  override _readStreamForRange(start: number, end: number): Readable {
    let at = start;
    const pushChunk = (stream: Readable): void => {
      const chunk = Buffer.allocUnsafe(Math.min(chunk_bytes, end - at));
      if (chunk.length === 0) stream.push(null);
      else
        this.read(chunk, 0, chunk.length, at, (error, bytesRead = 0) => {
          at += bytesRead;
          if (error !== null) stream.destroy(error);
          else if (bytesRead === 0) stream.destroy(beyondEnd());
          else stream.push(chunk.subarray(0, bytesRead));
        });
    };
    return new Readable({
      read(): void {
        pushChunk(this);
      },
    });
  }

  override close(callback: (error: Error | null) => void): void {
    closeSync(this.#fd);
    setImmediate(callback, null);
  }
}

const chunk_bytes = 256 * 1024;

function beyondEnd(): Error {
  return new Error("a position beyond the end of the file");
}
