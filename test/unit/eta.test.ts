import fc from "fast-check";
import { expect, test } from "vitest";
import type { ReportTrial } from "../../src/report/report-input.ts";
import { describeLeft, leftMs, type RunningShare, SweepEta } from "../../src/sweep/view/eta.ts";
import { SweepProgress } from "../../src/sweep/view/sweep-progress.ts";
import { countSteps } from "../helpers/count-steps.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeAttempt, madeInput } from "../helpers/report-input.ts";

interface SweepState {
  running: RunningShare[];
  /** Labels of the trials that have not started. */
  waiting: string[];
  /** Durations of finished trials by label. */
  finished: Map<string, number[]>;
  numSlots: number;
}

const state = (changes: Partial<SweepState>): SweepState => ({
  running: [],
  waiting: [],
  finished: new Map(),
  numSlots: 1,
  ...changes,
});

/** The estimate for a state, reached by starting and finishing trials one by one. */
function estimate({ running, waiting, finished, numSlots }: SweepState): number | undefined {
  const done = [...finished].flatMap(([label, values]) => values.map((ms) => ({ label, ms })));
  const started = [...running, ...done].map(({ label }) => label);
  const eta = new SweepEta([...started, ...waiting], numSlots);
  for (const label of started) eta.started(label);
  for (const { label, ms } of done) eta.finished(label, ms);
  return eta.remainingMs(running);
}

const film = (share: number, workedMs: number) => ({ label: "film", share, workedMs });

test.each<[string, Partial<SweepState>, number | undefined]>([
  ["nothing is known", { running: [film(0, 0)], waiting: ["film"] }, undefined],
  ["a share too small to predict", { running: [film(0.01, 1000)] }, undefined],
  ["the share of the running trial", { running: [film(0.25, 1000)] }, 3000],
  ["the same for waiting trials", { running: [film(0.25, 1000)], waiting: ["film", "other"] }, 11_000],
  [
    "the running trial's share, although others were faster",
    { running: [film(0.5, 9000)], finished: new Map([["film", [1000]]]) },
    9000,
  ],
  [
    "finished trials, before the running one has a share",
    { running: [film(0, 400)], finished: new Map([["film", [1000]]]) },
    600,
  ],
  [
    "the mean of each configuration",
    {
      waiting: ["film", "slow", "slow"],
      finished: new Map([
        ["film", [1000, 3000]],
        ["slow", [10_000]],
      ]),
    },
    22_000,
  ],
  [
    "the mean of all others for a new configuration",
    {
      waiting: ["new"],
      finished: new Map([
        ["film", [1000]],
        ["slow", [5000]],
      ]),
    },
    3000,
  ],
  [
    "what a resumed trial itself has done",
    { running: [{ ...film(0.75, 1000), skipped: 0.5 }], waiting: ["film"] },
    5000,
  ],
  [
    "what is left of a resumed trial, before it has a share",
    { running: [{ ...film(0.75, 400), skipped: 0.75 }], finished: new Map([["film", [4000]]]) },
    600,
  ],
  ["two slots", { waiting: ["film", "film"], finished: new Map([["film", [1000]]]), numSlots: 2 }, 1000],
  ["more slots than trials", { waiting: ["film"], finished: new Map([["film", [1000]]]), numSlots: 4 }, 1000],
  ["at least the longest running trial", { running: [film(0.5, 8000), film(0.9, 900)], numSlots: 2 }, 8000],
])("remaining time from %s", (_what, changes, expected) => {
  const left = estimate(state(changes));
  if (expected === undefined) expect(left).toBeUndefined();
  else expect(left).toBeCloseTo(expected, 6);
});

test("the estimate equals one computed from all trials, after any sequence of changes", () => {
  const label = fc.constantFrom("film", "token", "slow", "other");
  const change = fc.record({
    label,
    ms: fc.integer({ min: 0, max: 1_000_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const changes = fc.array(change, { maxLength: 30 });
  fc.assert(
    fc.property(changes, fc.array(label), fc.integer({ min: 1, max: 5 }), (steps, others, numSlots) => {
      const eta = new SweepEta([...steps.map((step) => step.label), ...others], numSlots);
      const finished = new Map<string, number[]>();
      for (const [index, step] of steps.entries()) {
        eta.started(step.label);
        const running = [{ label: step.label, share: step.share, workedMs: step.ms }];
        const waiting = [...steps.slice(index + 1).map((later) => later.label), ...others];
        const expected = fromAllTrials({ running, waiting, finished, numSlots });
        const found = eta.remainingMs(running);
        if (expected === undefined) expect(found).toBeUndefined();
        else expect(found).toBeCloseTo(expected, 3);
        eta.finished(step.label, step.ms);
        finished.set(step.label, [...(finished.get(step.label) ?? []), step.ms]);
      }
    }),
  );
});

/** The definition of the estimate, by a loop over all trials. */
function fromAllTrials({ running, waiting, finished, numSlots }: SweepState): number | undefined {
  const projected = new Map<string, number[]>();
  for (const { label, workedMs, share } of running)
    if (share >= 0.05) projected.set(label, [...(projected.get(label) ?? []), workedMs / share]);
  const all = [finished, projected].map((each) => [...each.values()].flat()).find(({ length }) => length > 0);
  if (all === undefined) return undefined;
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const expected = (label: string): number => mean(finished.get(label) ?? projected.get(label) ?? all);
  const left = running.map(({ label, workedMs, share }) =>
    share >= 0.05 ? (workedMs * (1 - share)) / share : Math.max(0, expected(label) - workedMs),
  );
  const total = [...left, ...waiting.map(expected)].reduce((sum, value) => sum + value, 0);
  return Math.max(total / Math.max(1, Math.min(numSlots, running.length + waiting.length)), ...left);
}

test("a resumed trial that ends predicts whole trials, unless little was left of it", () => {
  const eta = new SweepEta(["film", "film", "film"], 1);
  eta.started("film");
  eta.finished("film", 1000, 0.75);
  expect(eta.remainingMs([])).toBeCloseTo(8000, 6);
  eta.started("film");
  eta.finished("film", 1, 0.95);
  expect(eta.remainingMs([])).toBeCloseTo(4000, 6);
});

test("an event of a trial costs the same in a sweep of 20 and of 2,000 trials", () => {
  const work = (num: number): number => {
    const { trials } = madeInput(
      Array.from({ length: num }, (_, index) => ({ label: `film ${index}`, acc: [0.5] })),
    );
    const waiting = trials.map(({ spec }) => spec);
    const terminal = recordingTerminal();
    let ms = 0;
    const now = (): number => ms;
    const progress = new SweepProgress(terminal, {
      name: "many",
      waiting,
      total: num,
      numSlots: 1,
      json: true,
      now,
    });
    const runOne = (trial: ReportTrial): void => {
      const attempt = madeAttempt(trial);
      progress.started(attempt, 0);
      for (const done of [1, 2, 3]) {
        ms += 1000;
        progress.event(attempt, 0, { type: "progress", phase: "training", done, total: 4 });
      }
      progress.finished(attempt, 0, trial.outcome, 3000);
    };
    const [next, ...others] = trials;
    for (const trial of others.slice(0, num / 2)) runOne(trial);
    const steps = countSteps(() => next !== undefined && runOne(next));
    expect(terminal.liveLines.at(-2)).toContain(`${num / 2} of ${num} trials done, about `);
    return steps;
  };
  const few = work(20);
  expect(few).toBeGreaterThan(10);
  expect(work(2000)).toBe(few);
});

/** A sweep of one label in which trials took these times. */
function afterTrials(durations_ms: number[]): SweepEta {
  const eta = new SweepEta(["film", ...durations_ms.map(() => "film")], 1);
  for (const ms of durations_ms) {
    eta.started("film");
    eta.finished("film", ms);
  }
  return eta;
}

test.each<[string, number[], [number, number] | undefined]>([
  ["fewer than two trials could be compared with their estimate", [1000, 1100], undefined],
  ["all took the same time", [1000, 1000, 1000], [6000, 6000]],
  // The second took twice what was expected, the third what was expected.
  ["they differed", [1000, 2000, 1500], [6000 / 2 ** Math.SQRT1_2, 6000 * 2 ** Math.SQRT1_2]],
])("range of the remaining time when %s", (_, durations_ms, expected) => {
  const range = afterTrials(durations_ms).rangeMs(6000);
  if (expected === undefined) expect(range).toBeUndefined();
  else for (const index of [0, 1]) expect(range?.[index]).toBeCloseTo(expected[index] ?? Number.NaN, 6);
});

test("the range is around the estimate and grows with the variation, whatever the durations", () => {
  const durations = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 3, maxLength: 20 });
  fc.assert(
    fc.property(durations, fc.integer({ min: 0, max: 1e9 }), (values, left) => {
      const [low, high] = afterTrials(values).rangeMs(left) ?? [Number.NaN, Number.NaN];
      expect(low).toBeGreaterThanOrEqual(0);
      expect(low).toBeLessThanOrEqual(left);
      expect(high).toBeGreaterThanOrEqual(left);
    }),
  );
});

test.each<[string, RunningShare, number | undefined]>([
  ["its share", film(0.25, 1000), 3000],
  ["trials of its label, before it has a share", film(0, 400), 600],
  ["nothing, for another label without a share", { label: "other", share: 0, workedMs: 10 }, undefined],
])("remaining time of a running trial from %s", (_, running, expected) => {
  expect(afterTrials([1000]).trialLeftMs(running)).toBe(expected);
});

test.each([
  ["nothing", { left_ms: null }, "time left: not known yet"],
  ["no range", { left_ms: 725_000, left_range_ms: null }, "about 12 min 5 s left"],
  [
    "a range",
    { left_ms: 725_000, left_range_ms: [580_000, 906_000] as [number, number] },
    "about 12 min 5 s left (9 min 40 s to 15 min 6 s)",
  ],
])("remaining time in words when %s is known", (_, left, text) => {
  expect(describeLeft(left)).toBe(text);
});

test.each([
  ["nothing is done", 5000, 0, 100, undefined],
  ["less than a second has passed", 900, 50, 50, undefined],
  ["less than 1 % is done", 5000, 1, 999, undefined],
  ["a quarter took ten seconds", 10_000, 25, 75, 30_000],
  ["everything is done", 10_000, 100, 0, undefined],
])("remaining time of equal steps when %s", (_, workedMs, done, left, expected) => {
  expect(leftMs(workedMs, done, left)).toBe(expected);
});
