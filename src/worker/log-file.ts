import { appendFileSync, closeSync, openSync } from "node:fs";

/**
 * Log of a process's output, created with the first line. A failed write, e.g. on a full disk, neither fails nor delays the
 * trial.
 */
export class LogFile {
  readonly path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  write(data: Buffer): void {
    try {
      this.#fd ??= openSync(this.path, "a");
      appendFileSync(this.#fd, data);
    } catch {
      // The output is dropped: see above.
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined; // The descriptor number will be reused.
  }
}
