import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CliprpnError } from "../contract/errors.ts";
import { hasCode } from "./files.ts";

/** Reads the lines of a file as they are appended to it, also where another machine appends them. */
export class LineTail {
  readonly #file: string;
  #offset = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** The complete lines since the last call, of at most a megabyte: none if there are no more, undefined if the next one is longer. */
  read(): string[] | undefined {
    let fd: number;
    try {
      fd = openSync(this.#file, "r"); // Again each time: on NFS, only a file that is opened shows what others wrote.
    } catch (error) {
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }
    try {
      const size = Math.min(fstatSync(fd).size - this.#offset, maxLineBytes);
      if (size <= 0) return [];
      const bytes = Buffer.alloc(size);
      const numRead = readSync(fd, bytes, 0, size, this.#offset);
      // The start of a line that is not complete comes again with the next call.
      const end = bytes.subarray(0, numRead).lastIndexOf(0x0a) + 1;
      if (end === 0) return numRead === maxLineBytes ? undefined : [];
      this.#offset += end;
      return bytes.toString("utf8", 0, end - 1).split("\n");
    } finally {
      closeSync(fd);
    }
  }

  /** All complete lines since the last call, a part of the file at a time. @throws CliprpnError bad_input for a line that is too long. */
  *all(): Generator<string> {
    for (;;) {
      const lines = this.read();
      if (lines === undefined)
        throw new CliprpnError(
          "bad_input",
          `${this.#file}: expected lines of at most ${maxLineBytes / 1e6} MB, found a longer one; the file is damaged, or not one of cliprpn's`,
        );
      if (lines.length === 0) return;
      yield* lines;
    }
  }
}

/** Far more than a line of ours has. */
export const maxLineBytes = 1_000_000;
