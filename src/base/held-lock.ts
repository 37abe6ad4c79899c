import { type FileHandle, stat } from "node:fs/promises";
import { join } from "node:path";
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
  readonly #file: FileHandle;
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
   * @param file the same file, open for writing.
   * @param offset where its second line begins, in bytes.
   */
  constructor(
    { folder, number, file, offset }: { folder: string; number: number; file: FileHandle; offset: number },
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
      await this.#write("released").finally(() => this.#file.close());
    } catch (error) {
      if (!isGone(error)) throw error;
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
    await this.#file.close().catch(() => undefined);
    this.#onLost();
  }

  /** Writes the counter; a full disk or a failed write is tried again by the next heartbeat. */
  async #isGone(): Promise<boolean> {
    try {
      this.#counter += 1;
      await this.#write("held");
      await this.#file.datasync();
    } catch (error) {
      if (isGone(error)) return true;
    }
    try {
      // The folder may have been removed and created again, with the same number.
      const [mine, current] = await Promise.all([this.#file.stat(bigint), stat(this.#path, bigint)]);
      return mine.ino !== current.ino || highestNumber(this.#folder) !== this.#number;
    } catch (error) {
      return isGone(error);
    }
  }

  get #path(): string {
    return join(this.#folder, String(this.#number));
  }

  async #write(state: "held" | "released"): Promise<void> {
    await this.#file.write(stateLine(state, this.#counter), this.#offset);
  }
}

const bigint = { bigint: true } as const;
