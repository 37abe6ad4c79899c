import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { diskFullError } from "../../base/disk-space.ts";
import { errorCode } from "../../base/files.ts";
import { formatBytes } from "../../base/format.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { CliprpnError, isInterruption } from "../../contract/errors.ts";
import type { RemoteFile } from "./sources.ts";

/** The server that sent the bytes of a part file: `NAME.part.json`. */
interface Origin {
  url: string;
  /** A strong ETag or a Last-Modified date, for `If-Range`; null when the server sent none. */
  validator: string | null;
}

/**
 * `NAME.part`: the beginning of a file that is being downloaded, with a running checksum. It may end at any byte. Its origin is
 * written before its first byte.
 */
export class PartFile {
  readonly #file: RemoteFile;
  readonly #path: string;
  readonly #handle: FileHandle;
  #origin: Origin | undefined;
  #hash: Hash | undefined;
  #size = 0;
  /** True if some of the bytes came from another mirror or from an earlier run. */
  inherited = false;

  private constructor(path: string, handle: FileHandle, file: RemoteFile) {
    this.#path = path;
    this.#handle = handle;
    this.#file = file;
    this.#hash = file.checksum === null ? undefined : createHash(file.checksum.algorithm);
  }

  /** Opens the part file and resumes from the bytes of an earlier run if they are usable. */
  static async open(path: string, file: RemoteFile, signal: AbortSignal): Promise<PartFile> {
    const handle = await open(path, "a").catch((error) => {
      throw diskError(path, error);
    });
    const part = new PartFile(path, handle, file);
    try {
      await part.#resume(signal);
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Headers that request the rest of the file; empty to request the whole file. Bytes of two mirrors are combined only if a
   * checksum can verify the result.
   */
  rangeHeaders(url: string): Record<string, string> {
    if (this.#size === 0 || this.#origin === undefined) return {};
    const range = `bytes=${this.#size}-`;
    const { validator } = this.#origin;
    if (this.#origin.url === url && validator !== null) return { range, "if-range": validator };
    return this.#file.checksum === null ? {} : { range };
  }

  /** Must be called before the first byte of a response is appended. @param from 0 discards the existing bytes. */
  async begin(from: number, url: string, headers: Pick<Headers, "get">): Promise<void> {
    if (from === 0 && this.#size > 0) await this.startOver();
    if (from > 0 && this.#origin?.url !== url) this.inherited = true;
    this.#origin = { url, validator: validatorOf(headers) };
    await this.#write(async () => replaceFile(originPath(this.#path), `${JSON.stringify(this.#origin)}\n`));
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#write(() => this.#handle.appendFile(chunk));
    this.#hash?.update(chunk);
    this.#size += chunk.length;
  }

  async startOver(): Promise<void> {
    await this.#write(() => this.#handle.truncate(0));
    this.#size = 0;
    this.inherited = false;
    this.#hash = this.#file.checksum === null ? undefined : createHash(this.#file.checksum.algorithm);
  }

  /** Checks whether the part is the complete, correct file. @returns the problem; undefined if there is none. */
  async verify(): Promise<string | undefined> {
    const hex = this.#hash?.copy().digest("hex");
    return (
      (await checkContent(this.#path, this.#size, this.#file)) ??
      (hex === undefined ? undefined : checkChecksum(hex, this.#file))
    );
  }

  /** Renames the complete file to its final name. */
  async moveTo(path: string): Promise<void> {
    await this.#write(async () => {
      await this.#handle.sync();
      await rename(this.#path, path);
      await syncFolder(dirname(path));
      await rm(originPath(this.#path), { force: true });
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
    if (this.#size > 0) return;
    await rm(this.#path, { force: true });
    await rm(originPath(this.#path), { force: true });
  }

  async #resume(signal: AbortSignal): Promise<void> {
    const { size } = await this.#handle.stat();
    this.#origin = await readOrigin(originPath(this.#path));
    const tooLong = this.#file.bytes !== null && size > this.#file.bytes;
    if (this.#origin === undefined || tooLong) return this.startOver();
    if (this.#hash !== undefined) await hashInto(this.#hash, this.#path, signal);
    this.#size = size;
    this.inherited = size > 0;
  }

  async #write(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      throw diskError(this.#path, error);
    }
  }
}

/** The origin of a part file; undefined if the note is missing or damaged. */
async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value !== "object" || value === null || !("url" in value) || !("validator" in value))
      return undefined;
    const { url, validator } = value;
    if (typeof url !== "string" || (typeof validator !== "string" && validator !== null)) return undefined;
    return { url, validator };
  } catch {
    return undefined;
  }
}

/** `If-Range` does not accept a weak ETag. */
function validatorOf(headers: Pick<Headers, "get">): string | null {
  const etag = headers.get("etag");
  return etag?.startsWith('"') ? etag : headers.get("last-modified");
}

function originPath(path: string): string {
  return `${path}.json`;
}

/** Checks the size and the first bytes of a file. @returns the problem; undefined if there is none. */
export async function checkContent(
  path: string,
  size: number,
  { name, bytes }: RemoteFile,
): Promise<string | undefined> {
  if (bytes !== null && size !== bytes)
    return `it has ${size} bytes (${formatBytes(size)}), expected ${bytes} (${formatBytes(bytes)})`;
  if (!/\.zip$/i.test(name)) return undefined;
  // A web page instead of an archive shows in the first bytes, even when no checksum is known.
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const begins = buffer.subarray(0, bytesRead).toString("latin1");
    return begins === "PK\x03\x04"
      ? undefined
      : `it is not a zip archive: it begins with ${JSON.stringify(begins)}`;
  } finally {
    await handle.close();
  }
}

/** @returns the problem; undefined if the checksum matches or is unknown. */
export function checkChecksum(hex: string, { checksum }: RemoteFile): string | undefined {
  if (checksum === null || checksum.hex === hex) return undefined;
  return `its ${checksum.algorithm} is ${hex}, expected ${checksum.hex}`;
}

/** Reads a file of any size into a hash. @throws the signal's reason; CliprpnError bad_input when it cannot be read. */
export async function hashInto(hash: Hash, path: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk);
  } catch (error) {
    if (isInterruption(error, signal)) signal.throwIfAborted();
    throw new CliprpnError("bad_input", `${path}: cannot be read (${errorCode(error)}); fix or remove it`, {
      cause: error,
    });
  }
}

/** Makes a rename in the folder durable; not available on Windows. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Turns the error of a failed write into a message for the user. */
export function diskError(path: string, error: unknown): CliprpnError {
  return (
    diskFullError(path, error, "free some space and re-run the same command to resume") ??
    new CliprpnError("bad_input", `${path}: not writable (${errorCode(error)}); choose another folder`, {
      cause: error,
    })
  );
}
