import { appendFileSync, closeSync, openSync } from "node:fs";

/**
 * Where a process's output goes; made with its first line. One that cannot be written, on a full disk say, must not end a
 * trial nor hold it up.
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
      // Lost: see above.
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined; // Its number will soon be another file's.
  }
}
