import fs, { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { JournalEntry } from "../../src/contract/generated/types.ts";
import {
  appendTo,
  Journal,
  type NewEntry,
  readEnds,
  readJournal,
  readLastOfSweep,
} from "../../src/store/journal.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const trial_id = "0123456789abcdef";
const entries: NewEntry[] = [
  { type: "sweep_started", num_trials: 2, command: "cliprpn sweep é€😀.json" },
  { type: "trial_started", trial_id, attempt: 1, slot: 0 },
  {
    type: "trial_finished",
    trial_id,
    attempt: 1,
    sources_sha256: "a".repeat(64),
    state: "failed",
    duration_ms: 12.5,
    error: { code: "timed_out", message: "it took too long" },
  },
  { type: "sweep_finished", num_completed: 1, num_failed: 1 },
];
const [last] = entries.slice(-1);

test("appended entries are read in order, also by a later process, with their version and time", () => {
  const file = join(tempFolder(), "journal.jsonl");
  expect(readJournal(file)).toEqual({ entries: [], numUnknown: 0 });
  append(file, entries.slice(0, 2));
  append(file, entries.slice(2));
  expect(written(file)).toEqual(entries);
  for (const { schema_version, at } of readJournal(file).entries) {
    expect(schema_version).toBe(1);
    expect(new Date(at).toISOString()).toBe(at);
  }
});

test("a journal torn at any byte keeps all whole entries and accepts new ones", () => {
  const whole = join(tempFolder(), "journal.jsonl");
  append(whole, entries.slice(0, 2));
  const bytes = readFileSync(whole);
  const firstEnd = bytes.indexOf("\n");
  const file = join(tempFolder(), "journal.jsonl");
  for (let length = 0; length <= bytes.length; length += 1) {
    writeFileSync(file, bytes.subarray(0, length));
    // A line that lacks only its line break is whole.
    const kept = entries.slice(0, length >= bytes.length - 1 ? 2 : length >= firstEnd ? 1 : 0);
    expect(written(file), `cut at ${length}`).toEqual(kept);
    append(file, entries.slice(3));
    expect(written(file), `cut at ${length}`).toEqual([...kept, last]);
  }
});

test("the end of a trial is synced to the disk, its start with it", () => {
  const sync = vi.spyOn(fs, "fdatasyncSync");
  syncBuiltinESMExports();
  onTestFinished(() => {
    sync.mockRestore();
    syncBuiltinESMExports();
  });
  const file = join(tempFolder(), "journal.jsonl");
  const journal = new Journal(file);
  const numSyncs = entries.map((entry) => {
    journal.append(entry);
    return sync.mock.calls.length;
  });
  journal.close();
  expect(numSyncs).toEqual([1, 1, 2, 3]);
  expect(written(file)).toEqual(entries);
});

test("an entry after one that a full disk has cut is kept", () => {
  const file = join(tempFolder(), "journal.jsonl");
  const journal = new Journal(file);
  appendFileSync(file, '{"type":"trial_fini');
  journal.append({ type: "sweep_finished", num_completed: 1, num_failed: 1 });
  journal.close();
  expect(written(file)).toEqual([last]);
});

test.skipIf(!existsSync("/dev/full"))("the error of a full disk names the journal", () => {
  const journal = new Journal("/dev/full");
  expect(() => journal.append({ type: "sweep_finished", num_completed: 1, num_failed: 1 })).toThrow(
    expect.objectContaining({ code: "ENOSPC", path: "/dev/full" }),
  );
  journal.close();
});

test("the entries of two processes are all kept", () => {
  const file = join(tempFolder(), "journal.jsonl");
  const sweep = new Journal(file);
  append(file, entries.slice(3));
  sweep.append({ type: "trial_started", trial_id: "a", attempt: 1, slot: 0 });
  append(file, entries.slice(3));
  sweep.append({ type: "trial_started", trial_id: "b", attempt: 1, slot: 0 });
  sweep.close();
  expect(readJournal(file).entries.map(({ type }) => type)).toEqual([
    "sweep_finished",
    "trial_started",
    "sweep_finished",
    "trial_started",
  ]);
});

test("lines that this version does not know are counted and stay in the file", () => {
  const file = join(tempFolder(), "journal.jsonl");
  append(file, entries.slice(0, 1));
  const unknown = [
    '{"type":"trial_paused","schema_version":1,"at":"later"}',
    '{"type":"sweep_finished","schema_version":2,"at":"later","num_completed":1,"num_failed":0}',
    '{"type":"sweep_finished"}',
    "null",
    "[]",
  ];
  const text = unknown.map((line) => `${line}\n`).join("");
  appendFileSync(file, `${text}\n\u0000\u0000\n`);
  append(file, entries.slice(3));
  expect(written(file)).toEqual([entries[0], last]);
  expect(readJournal(file).numUnknown).toBe(unknown.length);
  expect(readFileSync(file, "utf8")).toContain(text);
});

test("the ends of attempts are those of all entries", () => {
  const file = join(tempFolder(), "journal.jsonl");
  expect(readEnds(file)).toEqual([]);
  append(file, [...entries, { type: "sweep_started", num_trials: 1, command: 'echo "trial_finished"' }]);
  append(file, entries);
  appendFileSync(file, '{"type":"trial_finished","new":1}\n{"type":"trial_finished","schema');
  const ends = readJournal(file).entries.filter(({ type }) => type === "trial_finished");
  expect(ends).toHaveLength(2);
  expect(readEnds(file)).toEqual(ends);
});

test("the last entry about the sweep is found behind those about trials, and before a torn line", () => {
  const file = join(tempFolder(), "journal.jsonl");
  const typeOf = (): string | undefined => readLastOfSweep(file)?.type;
  expect(typeOf()).toBeUndefined();
  appendFileSync(file, `${"x".repeat(300_000)}\n`);
  expect(typeOf()).toBeUndefined();
  append(file, entries);
  expect(readLastOfSweep(file)).toEqual(readJournal(file).entries.at(-1));
  appendFileSync(file, '{"type":"sweep_paused"');
  expect(typeOf()).toBeUndefined();
  append(file, entries.slice(0, 2));
  expect(typeOf()).toBe("sweep_started");
});

test("an entry is one line, whatever its text", () => {
  const file = join(tempFolder(), "journal.jsonl");
  const entry: NewEntry = { type: "sweep_started", num_trials: 1, command: "a\nb\u2028c\r\n" };
  append(file, [entry, entry]);
  expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3);
  expect(written(file)).toEqual([entry, entry]);
});

test("a value is appended to a torn file on its own line", () => {
  const file = join(tempFolder(), "test-looks.jsonl");
  writeFileSync(file, '{"torn');
  appendTo(file, { a: 1 });
  appendTo(file, { b: 2 });
  expect(readFileSync(file, "utf8")).toBe('{"torn\n{"a":1}\n{"b":2}\n');
});

function append(file: string, some: NewEntry[]): void {
  const journal = new Journal(file);
  for (const entry of some) journal.append(entry);
  journal.close();
}

/** The entries of a journal, as they were given to `append`. */
function written(file: string): Partial<JournalEntry>[] {
  return readJournal(file).entries.map(({ schema_version: _, at: __, ...entry }) => entry);
}
