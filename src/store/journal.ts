import { closeSync, existsSync, fdatasyncSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { naming } from "../base/files.ts";
import { LineTail } from "../base/line-tail.ts";
import { findSchemaErrors } from "../contract/check.ts";
import type { JournalEntry } from "../contract/generated/types.ts";
import { parseJson, readText, schemaVersion } from "./files.ts";

/** An entry without what every line has. */
export type NewEntry = JournalEntry extends infer Entry
  ? Entry extends JournalEntry
    ? Omit<Entry, "schema_version" | "at">
    : never
  : never;

/**
 * An append-only file of JSON lines; two processes may append at the same time. An entry is on the disk when `append` returns, but
 * for the start of a trial: without it, nothing else changes after a power failure, and the next entry syncs it, too. A line left
 * incomplete by a kill or a full disk is terminated before the next one, and skipped by readers.
 */
export class Journal {
  readonly #file: string;
  readonly #fd: number;

  constructor(file: string) {
    this.#file = file;
    this.#fd = openSync(file, "a+");
  }

  append({ type, ...entry }: NewEntry): void {
    const line = { type, schema_version: schemaVersion, at: new Date().toISOString(), ...entry };
    naming(this.#file, () => {
      endLine(this.#fd); // A full disk may have cut the line before.
      writeLine(this.#fd, line);
      if (type !== "trial_started") fdatasyncSync(this.#fd);
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The entries of a journal, and the number of lines that this version does not know; they stay in the file. */
export interface JournalContent {
  entries: JournalEntry[];
  numUnknown: number;
}

export function readJournal(file: string): JournalContent {
  const values = readLines(file)
    .map(withVersion)
    .filter((line) => !isOfFirstVersion(line));
  const entries = values.filter(isEntry);
  return { entries, numUnknown: values.length - entries.length };
}

/** Reads the entries that were added to a journal since the last call, of lines that the function selects before they are parsed. */
export type JournalTail = (selects: (line: string) => boolean) => Generator<JournalEntry>;

export function tailJournal(file: string): JournalTail {
  const lines = new LineTail(file);
  return function* (selects) {
    for (const line of lines.all()) {
      const value = selects(line) ? withVersion(parseJson(line)) : undefined;
      if (isEntry(value)) yield value;
    }
  };
}

/** The end of an attempt. */
export type TrialEnd = Extract<JournalEntry, { type: "trial_finished" }>;

/** The ends of attempts in a journal, in order; most of its other lines are not parsed. */
export function readEnds(file: string): TrialEnd[] {
  return (readText(file) ?? "").split("\n").flatMap((line) => {
    if (!line.includes('"trial_finished"')) return [];
    const value = withVersion(parseJson(line));
    return isEntry(value) && value.type === "trial_finished" ? [value] : [];
  });
}

/** Starts of the sweep, and starts and ends of attempts, in order; other lines are not parsed. */
export function readAttempts(file: string): JournalEntry[] {
  return (readText(file) ?? "").split("\n").flatMap((line) => {
    if (!/"(trial|sweep)_(started|finished)"/.test(line.slice(0, 40))) return [];
    const value = withVersion(parseJson(line));
    return isEntry(value) ? [value] : [];
  });
}

export type SweepPaused = Extract<JournalEntry, { type: "sweep_paused" }>;

/** The last entry about the sweep itself: how its last run ended, unless another one has started. It reads no more than the end. */
export function readLastOfSweep(file: string): JournalEntry | undefined {
  const last = readEnd(file, maxEntryBytes)
    .split("\n")
    .findLast((line) => line.startsWith('{"type":"sweep_'));
  const value = last === undefined ? undefined : parseJson(last);
  return isEntry(value) ? value : undefined;
}

/** More than a line has. */
const maxEntryBytes = 256 * 1024;

function readEnd(file: string, maxBytes: number): string {
  if (!existsSync(file)) return "";
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    return buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, size - buffer.length));
  } finally {
    closeSync(fd);
  }
}

/** Appends one value to a file of JSON lines, after terminating a line that a kill left incomplete. */
export function appendTo(file: string, value: object): void {
  const fd = openSync(file, "a+");
  try {
    naming(file, () => {
      endLine(fd);
      writeLine(fd, value);
      fdatasyncSync(fd);
    });
  } finally {
    closeSync(fd);
  }
}

/** The values of a file of JSON lines; skips incomplete lines. */
export function readLines(file: string): unknown[] {
  return (readText(file) ?? "").split("\n").flatMap((line) => {
    const value = parseJson(line);
    return value === undefined ? [] : [value];
  });
}

function writeLine(fd: number, value: object): void {
  writeFileSync(fd, `${JSON.stringify(value)}\n`);
}

/** Terminates a line that is incomplete. */
function endLine(fd: number): void {
  if (!endsWhole(fd)) writeFileSync(fd, "\n");
}

function endsWhole(fd: number): boolean {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  return size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() === "\n");
}

/** The first version's lines had no schema_version; those that have not changed otherwise are entries of today. */
function withVersion(line: unknown): unknown {
  if (!isOfFirstVersion(line)) return line;
  const entry = { schema_version: 1, ...line };
  return isEntry(entry) ? entry : line;
}

/** What its other lines say is in the trials' folders, and in test-looks.jsonl. */
function isOfFirstVersion(line: unknown): line is object {
  return (
    typeof line === "object" &&
    line !== null &&
    !("schema_version" in line) &&
    "at" in line &&
    "type" in line &&
    firstTypes.has(line.type)
  );
}

const firstTypes = new Set<unknown>([
  "sweep_started",
  "trial_started",
  "trial_finished",
  "sweep_finished",
  "split_read",
]);

function isEntry(value: unknown): value is JournalEntry {
  return findSchemaErrors("JournalEntry", value).length === 0;
}
