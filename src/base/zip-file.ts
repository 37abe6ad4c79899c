import { closeSync, fstatSync, openSync, read } from "node:fs";
import { Readable } from "node:stream";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { count } from "./format.ts";

/** Opens a zip archive; the caller closes it. @throws an error of the file system; an error of yauzl if it is not complete. */
export async function openZip(file: string): Promise<ZipFile> {
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    return await fromRandomAccessReaderPromise(new BoundedReader(fd, size), size, { autoClose: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Why an entry cannot be extracted; undefined if it can. */
export function problemOf(entry: Entry, max_file_bytes: number): string | undefined {
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

/** Two entries that share bytes, as a thousand do in a zip bomb. */
export function findOverlap(entries: readonly Entry[]): [Entry, Entry] | undefined {
  let previous: Entry | undefined;
  let end = 0;
  for (const entry of [...entries].sort(byOffset)) {
    if (previous !== undefined && entry.relativeOffsetOfLocalHeader < end) return [previous, entry];
    end = entry.relativeOffsetOfLocalHeader + local_header_bytes + entry.compressedSize;
    previous = entry;
  }
  return undefined;
}

function byOffset(a: Entry, b: Entry): number {
  return a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader;
}

/** Its minimum size; the file name follows it. */
const local_header_bytes = 30;

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
