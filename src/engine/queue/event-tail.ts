import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { hasCode } from "../../base/files.ts";
import { findSchemaErrors } from "../../contract/check.ts";
import type { TrialEvent } from "../../contract/generated/types.ts";

/** Reads the events of an attempt as they are appended to its file. */
export class EventTail {
  readonly #file: string;
  #offset = 0;
  #isRefused = false;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * The events since the last call. A line that is none is skipped: events are for display only. Nothing is read after a line that is
   * too long, which a warning says.
   */
  read(): TrialEvent[] {
    if (this.#isRefused) return [];
    const lines = this.#newLines();
    if (lines !== undefined) return lines.split("\n").flatMap((line) => eventOf(line) ?? []);
    this.#isRefused = true;
    const message = `${this.#file}: expected events of at most ${maxRead / 1e6} MB, found a longer line; no more events of this attempt are shown`;
    return [{ type: "warning", message }];
  }

  /** @returns undefined if the next line is too long. */
  #newLines(): string | undefined {
    let fd: number;
    try {
      fd = openSync(this.#file, "r"); // Again each time: on NFS, only a file that is opened shows what others wrote.
    } catch (error) {
      if (hasCode(error, "ENOENT")) return "";
      throw error;
    }
    try {
      const size = Math.min(fstatSync(fd).size - this.#offset, maxRead);
      if (size <= 0) return "";
      const bytes = Buffer.alloc(size);
      const numRead = readSync(fd, bytes, 0, size, this.#offset);
      // The start of a line that is not complete comes again with the next call.
      const end = bytes.subarray(0, numRead).lastIndexOf(0x0a) + 1;
      if (end === 0 && numRead === maxRead) return undefined;
      this.#offset += end;
      return bytes.toString("utf8", 0, end);
    } finally {
      closeSync(fd);
    }
  }
}

/** In bytes: far more than a trial writes between two calls, and than any event has. */
const maxRead = 1_000_000;

function eventOf(line: string): TrialEvent | undefined {
  try {
    const event: unknown = JSON.parse(line);
    return findSchemaErrors("TrialEvent", event).length === 0 ? (event as TrialEvent) : undefined;
  } catch {
    return undefined;
  }
}
