import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { findSchemaErrors } from "../contract/check.ts";
import type { JournalEntry } from "../contract/generated/types.ts";

/**
 * An append-only file of JSON lines; two processes may append at the same time. An entry is on the disk when `append` returns.
 * A line left incomplete by a kill is terminated when the file is opened again, and skipped by readers.
 */
export class Journal {
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, "a+");
    if (!endsWhole(this.#fd)) writeFileSync(this.#fd, "\n");
  }

  append(entry: JournalEntry): void {
    writeFileSync(this.#fd, `${JSON.stringify(entry)}\n`);
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Reads all entries; skips incomplete lines and lines of another version. */
export function readJournal(file: string): JournalEntry[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      const entry = parsed(line);
      return isEntry(entry) ? [entry] : [];
    });
}

function endsWhole(fd: number): boolean {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  return size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() === "\n");
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is JournalEntry {
  return findSchemaErrors("JournalEntry", value).length === 0;
}
