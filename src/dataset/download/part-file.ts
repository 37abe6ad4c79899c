import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { diskError, readInto, syncFolder } from "./disk.ts";
import type { SourceFile } from "./source-file.ts";
import { wrongBeginning, wrongChecksum, wrongSize } from "./whole.ts";

/** Where the bytes of a part came from: `NAME.part.json`. */
interface Origin {
  url: string;
  /** A strong ETag or a Last-Modified: what `If-Range` asks with; null when the server gave none. */
  validator: string | null;
}

/**
 * `NAME.part`: the beginning of a file that is being fetched, its checksum kept up with it. It may end at any byte; its origin
 * stands beside it before its first byte does.
 */
export class PartFile {
  readonly #file: SourceFile;
  readonly #path: string;
  readonly #handle: FileHandle;
  #origin: Origin | undefined;
  #hash: Hash | undefined;
  #size = 0;
  /** Some of its bytes came from another mirror or from an earlier run. */
  inherited = false;

  private constructor(path: string, handle: FileHandle, file: SourceFile) {
    this.#path = path;
    this.#handle = handle;
    this.#file = file;
    this.#hash = file.checksum === null ? undefined : createHash(file.checksum.algorithm);
  }

  /** Takes up what is there from before, if anything can be done with it. */
  static async open(path: string, file: SourceFile, signal: AbortSignal): Promise<PartFile> {
    const handle = await open(path, "a").catch((error) => {
      throw diskError(path, error);
    });
    const part = new PartFile(path, handle, file);
    try {
      await part.#takeUp(signal);
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
   * The headers that ask this mirror for the rest; none ask for the whole file. Where a checksum will tell, the bytes of one
   * mirror go on with those of another.
   */
  rangeHeaders(url: string): Record<string, string> {
    if (this.#size === 0 || this.#origin === undefined) return {};
    const range = `bytes=${this.#size}-`;
    const { validator } = this.#origin;
    if (this.#origin.url === url && validator !== null) return { range, "if-range": validator };
    return this.#file.checksum === null ? {} : { range };
  }

  /** Called before the first byte of an answer is appended. @param from 0 throws away what was there. */
  async begin(from: number, url: string, headers: Pick<Headers, "get">): Promise<void> {
    if (from === 0 && this.#size > 0) await this.startOver();
    if (from > 0 && this.#origin?.url !== url) this.inherited = true;
    this.#origin = { url, validator: validatorOf(headers) };
    await this.#write(() => writeFileAtomic(originPath(this.#path), `${JSON.stringify(this.#origin)}\n`));
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

  /** What is wrong with it as the whole file; undefined when nothing is. */
  async problem(): Promise<string | undefined> {
    const hex = this.#hash?.copy().digest("hex");
    return (
      wrongSize(this.#size, this.#file) ??
      (await wrongBeginning(this.#path, this.#file)) ??
      (hex === undefined ? undefined : wrongChecksum(hex, this.#file))
    );
  }

  /** Gives the whole file its name. */
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

  async #takeUp(signal: AbortSignal): Promise<void> {
    const { size } = await this.#handle.stat();
    this.#origin = await readOrigin(originPath(this.#path));
    const tooLong = this.#file.bytes !== null && size > this.#file.bytes;
    if (this.#origin === undefined || tooLong) return this.startOver();
    if (this.#hash !== undefined) await readInto(this.#hash, this.#path, signal);
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

/** Torn, foreign or missing: what the part holds is of unknown origin then. */
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

/** A weak ETag may not be asked with. */
function validatorOf(headers: Pick<Headers, "get">): string | null {
  const etag = headers.get("etag");
  return etag?.startsWith('"') ? etag : headers.get("last-modified");
}

function originPath(path: string): string {
  return `${path}.json`;
}
