import { closeSync, fdatasync, fstat, stat, write, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isDiskError } from "./files.ts";
import { highestNumber, isGone, stateLine } from "./lock-file.ts";

export interface HeldOptions {
  /** Called once when the lock is lost: another process took it over, or its folder was removed. */
  onLost: () => void;
  /** Time between two heartbeats. */
  beatMs?: number;
}

/** A lock that this process holds, with a heartbeat. */
export class OwnerLock {
  readonly #folder: string;
  readonly #number: number;
  readonly #file: number;
  readonly #offset: number;
  readonly #onLost: () => void;
  readonly #beatMs: number;
  #counter = 0;
  #isLost = false;
  #isReleased = false;
  #timer: NodeJS.Timeout | undefined;
  #beat = Promise.resolve();

  /**
   * @param number the number of the lock's file in `folder`.
   * @param file the descriptor of the same file, open for writing.
   * @param offset where its second line begins, in bytes.
   */
  constructor(
    { folder, number, file, offset }: { folder: string; number: number; file: number; offset: number },
    { onLost, beatMs = 2_000 }: HeldOptions,
  ) {
    [this.#folder, this.#number, this.#file, this.#offset] = [folder, number, file, offset];
    [this.#onLost, this.#beatMs] = [onLost, beatMs];
    this.#scheduleBeat();
  }

  get lost(): boolean {
    return this.#isLost;
  }

  /** Releases the lock. One that is lost belongs to somebody else and stays as it is. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearTimeout(this.#timer);
    await this.#beat;
    if (this.#isLost) return;
    try {
      // Synchronous: several times faster, and most locks are released before their first heartbeat.
      writeSync(this.#file, stateLine("released", this.#counter), this.#offset);
    } catch (error) {
      // Then it is free when this process has ended; the error to show is that of the work.
      if (!isGone(error) && !isDiskError(error)) throw error;
    } finally {
      closeSync(this.#file);
    }
  }

  #scheduleBeat(): void {
    this.#timer = setTimeout(() => {
      this.#beat = this.#writeBeat();
    }, this.#beatMs).unref();
  }

  async #writeBeat(): Promise<void> {
    if (!(await this.#isGone())) {
      if (!this.#isReleased) this.#scheduleBeat();
      return;
    }
    this.#isLost = true;
    closeSync(this.#file);
    this.#onLost();
  }

  /** Writes the counter; a full disk or a failed write is tried again by the next heartbeat. */
  async #isGone(): Promise<boolean> {
    try {
      this.#counter += 1;
      await promisify(write)(
        this.#file,
        Buffer.from(stateLine("held", this.#counter)),
        0,
        undefined,
        this.#offset,
      );
      await promisify(fdatasync)(this.#file);
    } catch (error) {
      if (isGone(error)) return true;
    }
    try {
      // The folder may have been removed and created again, with the same number.
      const [mine, current] = await Promise.all([
        promisify(fstat)(this.#file, bigint),
        promisify(stat)(this.#path, bigint),
      ]);
      return mine.ino !== current.ino || highestNumber(this.#folder) !== this.#number;
    } catch (error) {
      return isGone(error);
    }
  }

  get #path(): string {
    return join(this.#folder, String(this.#number));
  }
}

const bigint = { bigint: true } as const;
