import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JournalEntry } from "../../src/contract/generated/types.ts";
import { Journal, readJournal } from "../../src/store/journal.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const at = "2026-11-24T17:00:00.000Z";
const entries: JournalEntry[] = [
  { type: "sweep_started", at, num_trials: 2, command: "cliprpn sweep é€😀.json" },
  { type: "trial_started", at, trial_id: "0123456789abcdef", slot: 0 },
  { type: "trial_finished", at, trial_id: "0123456789abcdef", state: "completed", duration_ms: 12.5 },
  { type: "split_read", at, split: "test", command: "cliprpn evaluate" },
];
const [last] = entries.slice(-1);

test("appended entries are read in order, also by a later process", () => {
  const file = join(tempFolder(), "journal.jsonl");
  expect(readJournal(file)).toEqual([]);
  append(file, entries.slice(0, 2));
  append(file, entries.slice(2));
  expect(readJournal(file)).toEqual(entries);
});

test("a journal torn at any byte keeps all whole entries and accepts new ones", () => {
  const file = join(tempFolder(), "journal.jsonl");
  const [first, second] = entries.slice(0, 2).map((entry) => Buffer.from(`${JSON.stringify(entry)}\n`));
  const bytes = Buffer.concat([first ?? [], second ?? []].map((part) => Buffer.from(part)));
  for (let length = 0; length <= bytes.length; length += 1) {
    writeFileSync(file, bytes.subarray(0, length));
    // A line that lacks only its line break is whole.
    const whole = entries.slice(
      0,
      length >= bytes.length - 1 ? 2 : length >= (first?.length ?? 0) - 1 ? 1 : 0,
    );
    expect(readJournal(file), `cut at ${length}`).toEqual(whole);
    append(file, entries.slice(3));
    expect(readJournal(file), `cut at ${length}`).toEqual([...whole, last]);
  }
});

test("the entries of two processes are all kept", () => {
  const file = join(tempFolder(), "journal.jsonl");
  const sweep = new Journal(file);
  append(file, entries.slice(3));
  sweep.append({ type: "trial_started", at, trial_id: "a", slot: 0 });
  append(file, entries.slice(3));
  sweep.append({ type: "trial_started", at, trial_id: "b", slot: 0 });
  sweep.close();
  expect(readJournal(file).map(({ type }) => type)).toEqual([
    "split_read",
    "trial_started",
    "split_read",
    "trial_started",
  ]);
});

test("lines of another version, and lines that are not entries, are skipped", () => {
  const file = join(tempFolder(), "journal.jsonl");
  append(file, entries.slice(0, 1));
  appendFileSync(
    file,
    '{"type":"trial_paused","at":"later"}\n\nnull\n[]\n\u0000\u0000\n{"type":"split_read"}\n',
  );
  append(file, entries.slice(3));
  expect(readJournal(file)).toEqual([entries[0], last]);
});

test("an entry is one line, whatever its text", () => {
  const file = join(tempFolder(), "journal.jsonl");
  const entry: JournalEntry = { type: "split_read", at, split: "test", command: "a\nb\u2028c\r\n" };
  append(file, [entry, entry]);
  expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3);
  expect(readJournal(file)).toEqual([entry, entry]);
});

function append(file: string, some: JournalEntry[]): void {
  const journal = new Journal(file);
  for (const entry of some) journal.append(entry);
  journal.close();
}
