import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { problems } from "../contract/check.ts";
import type { JournalEntry } from "../contract/generated/types.ts";

/** An append-only file of JSON lines. A line counts once it is on the disk; one torn by a kill is cut off when next opened. */
export class Journal {
  readonly #fd: number;

  constructor(file: string) {
    const whole = wholeLines(file);
    this.#fd = openSync(file, existsSync(file) ? "r+" : "a+");
    ftruncateSync(this.#fd, whole);
    closeSync(this.#fd);
    this.#fd = openSync(file, "a");
  }

  append(entry: JournalEntry): void {
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** All entries; a torn last line and lines of another version are passed over. */
export function readJournal(file: string): JournalEntry[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      const entry = parsed(line);
      return isEntry(entry) ? [entry] : [];
    });
}

function wholeLines(file: string): number {
  if (!existsSync(file)) return 0;
  return readFileSync(file).lastIndexOf("\n") + 1;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is JournalEntry {
  return problems("JournalEntry", value).length === 0;
}
