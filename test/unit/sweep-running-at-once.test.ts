/** Estimates say and respect how many trials ran at the same time as the earlier ones that they are made from. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JournalEntry, TrialSpec } from "../../src/contract/generated/types.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { timeLines } from "../../src/sweep/estimate/describe-time.ts";
import { runningAtOnce } from "../../src/sweep/estimate/running-at-once.ts";
import { addSeen, addSeenSweep, estimateIn, madeData, planIn, specIn } from "../helpers/estimated-sweep.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const at = (s: number): string => new Date(1_700_000_000_000 + 1000 * s).toISOString();

/** A trial that ran from and to a second. */
type Run = [spec: { trial_id: string }, from: number, to: number, worker?: string];

function entriesOf(...runs: readonly Run[]): JournalEntry[] {
  const common = { schema_version: 1 as const, attempt: 1 };
  const entries = runs.flatMap(([{ trial_id }, from, to, worker]): [number, JournalEntry][] => [
    [from, { type: "trial_started", ...common, at: at(from), trial_id, slot: 0, ...(worker && { worker }) }],
    [
      to,
      {
        type: "trial_finished",
        ...common,
        at: at(to),
        trial_id,
        sources_sha256: "0".repeat(64),
        state: "completed",
        duration_ms: 1000 * (to - from),
        error: null,
      },
    ],
  ]);
  const started = {
    type: "sweep_started",
    schema_version: 1,
    at: at(0),
    num_trials: 9,
    command: "made",
  } as const;
  return [started, ...entries.toSorted(([a], [b]) => a - b).map(([, entry]) => entry)];
}

const id = (trial_id: string): { trial_id: string } => ({ trial_id });

test("the number that ran at the same time is the mean over the time of each", () => {
  const known = runningAtOnce(entriesOf([id("a"), 0, 10], [id("b"), 1, 11], [id("c"), 11, 20]));
  expect(known.get("a 1")).toBeCloseTo(1.9);
  expect(known.get("b 1")).toBeCloseTo(1.9);
  expect(known.get("c 1")).toBe(1);
});

test("an attempt that a kill ended does not count after the next start, and one on another machine never", () => {
  const killed = entriesOf([id("a"), 0, 10]).slice(0, 2);
  const later = entriesOf([id("b"), 100, 110], [id("c"), 100, 110, "n2 gpu 0"]);
  expect([...runningAtOnce([...killed, ...later])]).toEqual([["b 1", 1]]);
});

/** A sweep whose trials ran when it is said, and took that long for the training. */
function ran(work: string, name: string, runs: readonly [spec: TrialSpec, from: number, to: number][]): void {
  const runsDir = join(work, "runs");
  for (const [spec, from, to] of runs)
    addSeen(runsDir, spec, { training: 1000 * (to - from), evaluation: 0 });
  addSeenSweep(
    runsDir,
    name,
    runs.map(([spec]) => spec),
  );
  const text = entriesOf(...runs).map((entry) => `${JSON.stringify(entry)}\n`);
  writeFileSync(join(new SweepStore(runsDir, name).folder, "journal.jsonl"), text.join(""));
}

function workWithData(): { work: string; film: (seed: number) => TrialSpec & { kind: "cliprpn" } } {
  const work = tempFolder();
  madeData(work);
  return { work, film: (seed) => specIn(work, "film", seed) };
}

test("of earlier trials, those count that ran beside as many others as there are slots", async () => {
  const { work, film } = workWithData();
  ran(work, "one", [[film(11), 0, 4]]);
  // The last one ran alone.
  ran(work, "two", [
    [film(12), 0, 6],
    [film(13), 0, 6],
    [film(14), 6, 10],
  ]);
  const basisOf = async (numSlots: number) =>
    (await estimateIn(work, planIn(work, [film(0), film(1)]), { numSlots })).estimate.basis;
  expect(await basisOf(2)).toMatchObject([{ num_seen: 2, trial: { ms: 6000, low_ms: 6000, high_ms: 6000 } }]);
  expect(await basisOf(1)).toMatchObject([{ num_seen: 2, trial: { ms: 4000 } }]);
  for (const numSlots of [1, 2]) expect((await basisOf(numSlots))[0]).not.toHaveProperty("seen_at_once");
});

test.each([
  [
    "one at a time",
    [[0, 4]],
    2,
    { ms: 4000, low_ms: 4000, high_ms: 8000 },
    1,
    "1 at a time, not 2: each may take up to 2 times as long",
  ],
  [
    "four at a time",
    [
      [0, 8],
      [0, 8],
      [0, 8],
      [0, 8],
    ],
    2,
    { ms: 8000, low_ms: 4000, high_ms: 8000 },
    4,
    "4 at a time, not 2: each may take less",
  ],
] as const)("times of trials that ran %s count if there are no others, with a wider range", async (_, runs, numSlots, trial, seen_at_once, text) => {
  const { work, film } = workWithData();
  ran(
    work,
    "earlier",
    runs.map(([from, to], index) => [film(10 + index), from, to]),
  );
  const { estimate } = await estimateIn(work, planIn(work, [film(0), film(1)]), { numSlots });
  expect(estimate.basis).toMatchObject([{ source: "same_trials", trial, seen_at_once }]);
  expect(timeLines({ ...estimate, trials_time: trial }, "preflight").join()).toContain(text);
});

test("nobody knows what ran beside trials that no journal has", async () => {
  const { work, film } = workWithData();
  addSeen(join(work, "runs"), film(10), { training: 4000, evaluation: 0 });
  const { estimate } = await estimateIn(work, planIn(work, [film(0), film(10)]), { numSlots: 3 });
  expect(estimate.basis).toMatchObject([{ trial: { ms: 4000, high_ms: 12_000 }, seen_at_once: null }]);
  const lines = timeLines({ ...estimate, trials_time: { ms: 1, low_ms: 1, high_ms: 2 } }, "preflight");
  expect(lines.join()).toContain("with an unknown number at the same time");
});

test("a trial that another sweep ran counts with what ran beside it there", async () => {
  const { work, film } = workWithData();
  ran(work, "earlier", [
    [film(10), 0, 6],
    [film(11), 0, 6],
  ]);
  const { estimate } = await estimateIn(work, planIn(work, [film(0), film(10)]), { numSlots: 2 });
  expect(estimate.basis).toMatchObject([{ num_seen: 2, trial: { ms: 6000 } }]);
  expect(estimate.basis[0]).not.toHaveProperty("seen_at_once");
});
