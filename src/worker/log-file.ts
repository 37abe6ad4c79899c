import { appendFileSync, closeSync, openSync } from "node:fs";

/** Where a process's output goes. One that cannot be written, on a full disk say, must not end a trial nor hold it up. */
export class LogFile {
  readonly path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, "a");
    } catch {
      this.#fd = undefined;
    }
  }

  write(data: Buffer): void {
    try {
      if (this.#fd !== undefined) appendFileSync(this.#fd, data);
    } catch {
      // Lost: see above.
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined; // Its number will soon be another file's.
  }
}
