import { closeSync, fstatSync, openSync, read } from "node:fs";
import { Readable } from "node:stream";
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { CliprpnError } from "../../contract/errors.ts";

/** @throws CliprpnError not_found; data_invalid for what is no whole zip archive. */
export async function openArchive(archive: string): Promise<ZipFile> {
  const fd = openFile(archive);
  try {
    const { size } = fstatSync(fd);
    return await fromRandomAccessReaderPromise(new BoundedReader(fd, size), size, { autoClose: false });
  } catch (error) {
    closeSync(fd);
    throw new CliprpnError(
      "data_invalid",
      `${archive}: expected a whole zip archive, found: ${error instanceof Error ? error.message : error}; fetch it again`,
      { cause: error },
    );
  }
}

function openFile(archive: string): number {
  try {
    return openSync(archive, "r");
  } catch (error) {
    throw new CliprpnError("not_found", `${archive}: expected a zip archive, found no file to read`, {
      cause: error,
    });
  }
}

/** yauzl's own reader throws out of reach of any caller where an archive names a place beyond what Node can seek to. */
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
    else setImmediate(callback, beyond());
  }

  // Not Node's own stream of a file: destroyed, it closes the file under the others.
  override _readStreamForRange(start: number, end: number): Readable {
    let at = start;
    const more = (stream: Readable): void => {
      const chunk = Buffer.allocUnsafe(Math.min(chunk_bytes, end - at));
      if (chunk.length === 0) stream.push(null);
      else
        this.read(chunk, 0, chunk.length, at, (error, bytesRead = 0) => {
          at += bytesRead;
          if (error !== null) stream.destroy(error);
          else if (bytesRead === 0) stream.destroy(beyond());
          else stream.push(chunk.subarray(0, bytesRead));
        });
    };
    return new Readable({
      read(): void {
        more(this);
      },
    });
  }

  override close(callback: (error: Error | null) => void): void {
    closeSync(this.#fd);
    setImmediate(callback, null);
  }
}

const chunk_bytes = 256 * 1024;

function beyond(): Error {
  return new Error("a place beyond the end of the file");
}
