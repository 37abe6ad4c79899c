/** What a sweep shows and publishes of its attempts. */
import { expect, test } from "vitest";
import { check } from "../../src/contract/check.ts";
import type { Epoch, TrialOutcome } from "../../src/contract/generated/types.ts";
import { Leaderboard } from "../../src/sweep/results/leaderboard.ts";
import { SweepProgress, type SweepProgressOptions } from "../../src/sweep/view/sweep-progress.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import type { Draw } from "../../src/terminal/terminal.ts";
import { countSteps } from "../helpers/count-steps.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeAttempt, madeInput, madeOutcome } from "../helpers/report-input.ts";

const { trials } = madeInput([
  { label: "film", acc: [0.6, 0.7, 0.5] },
  { label: "token", acc: [0.4] },
]);
const [film0, film1, film2, token] = trials.map(madeAttempt);
if (film0 === undefined || film1 === undefined || film2 === undefined || token === undefined)
  throw new Error("four trials were made");

/** Progress on a terminal, and the last view that was shown. */
function shown(changes: Partial<SweepProgressOptions> = {}) {
  const terminal = recordingTerminal();
  let draw: Draw | undefined;
  const view = (next: Draw): void => {
    draw = next;
  };
  const onTerminal = { ...terminal, isTty: true, view };
  const progress = new SweepProgress(onTerminal, {
    name: "made",
    waiting: trials.map(({ spec }) => spec),
    total: trials.length,
    numSlots: 2,
    json: true,
    ...changes,
  });
  return { progress, terminal, view: () => draw?.({ columns: 80, rows: 24 }).join("\n") ?? "" };
}

function failure({ spec }: { spec: { trial_id: string; sources_sha256: string } }): TrialOutcome {
  return {
    schema_version: 1,
    state: "failed",
    trial_id: spec.trial_id,
    sources_sha256: spec.sources_sha256,
    finished_at: "2026-01-01T00:00:00Z",
    error: { code: "loss_not_finite", message: "expected a finite loss, found NaN" },
    traceback_file: null,
  };
}

test("the time left counts from where a trial was resumed, and from where it continues after it was out of memory", () => {
  let ms = 0;
  const { progress } = shown({ now: () => ms });
  const left = (): number | null | undefined => progress.snapshot().running[0]?.left_ms;
  const train = (done: number): void =>
    progress.event(film0, 0, { type: "progress", phase: "training", done, total: 100 });
  progress.started(film0, 0);
  train(51);
  ms += 10_000;
  train(71); // 20 steps in 10 s, so 5 s for 10 steps; evaluation takes as long as 5.3 steps.
  expect(left()).toBeGreaterThan(14_000);
  expect(left()).toBeLessThan(18_000);
  train(51);
  ms += 20_000;
  train(71); // Smaller micro-batches take twice as long.
  expect(left()).toBeGreaterThan(28_000);
  expect(left()).toBeLessThan(36_000);
});

test("a trial that goes back without a checkpoint shows no epoch that does not count, until it is trained again", () => {
  const { progress, view } = shown();
  const figures = {
    loss: 1,
    loss_objectness: 1,
    loss_box: 0,
    learning_rate: 1e-3,
    val_miou: 0.4,
    duration_ms: 10,
  };
  const epoch = (number: number, val_acc_at_50: number): Epoch => ({
    ...figures,
    epoch: number,
    num_epochs: 8,
    val_acc_at_50,
  });
  progress.started(film0, 0);
  for (const number of [1, 2]) progress.event(film0, 0, { type: "epoch", epoch: epoch(number, number / 10) });
  expect(view()).toMatch(/2\/8 .* 20\.0 %/);
  progress.event(film0, 0, { type: "restart", epoch: epoch(1, 0.1) });
  expect(progress.snapshot().running[0]).toMatchObject({
    epoch: { epoch: 1 },
    activity: "epoch 1/8, val Acc@0.5 10.0 %",
  });
  progress.event(film0, 0, { type: "restart", epoch: null });
  expect(progress.snapshot().running[0]).toMatchObject({
    epoch: null,
    activity: "training again from the start",
  });
  expect(view()).not.toMatch(/[12]\/8/);
  progress.event(film0, 0, { type: "epoch", epoch: epoch(1, 0.15) });
  expect(view()).toMatch(/1\/8 .* 15\.0 %/);
});

test("the status is valid, and has slots, leaderboard and remaining times", () => {
  let ms = 0;
  const { progress, view } = shown({ now: () => ms });
  for (const attempt of [film0, film1]) {
    progress.started(attempt, 0);
    progress.event(attempt, 0, { type: "progress", phase: "training", done: 0, total: 4 });
    ms += 10_000;
    progress.finished(attempt, 0, attempt.outcome(), 10_000);
  }
  progress.started(film2, 1);
  progress.event(film2, 1, { type: "progress", phase: "training", done: 0, total: 4 });
  ms += 4000;
  const status = check("SweepStatus", progress.snapshot(), "status");
  expect(status).toMatchObject({
    num_slots: 2,
    num_done: 2,
    num_failed: 0,
    running: [{ slot: 1, left_ms: 6000 }],
  });
  expect(status.leaderboard).toEqual({
    num_configurations: 1,
    configurations: [
      {
        label: "film",
        num_trials: 3,
        num_completed: 2,
        acc_at_50: { mean: expect.closeTo(0.65, 9), min: 0.6, max: 0.7 },
        is_upper_bound: false,
        interval: null,
      },
    ],
  });
  expect(view()).toMatch(/^ {3}0 {2}idle$/m);
  expect(view()).toMatch(/^ {3}1 {2}film, seed 2 +training 0 % +6 s$/m);
  expect(view()).toMatch(/^ {2}film +2 of 3 +65\.0 % +60\.0 % to 70\.0 %$/m);
});

test("a failure is shown; one whose trial runs again is none yet", () => {
  const { progress, terminal, view } = shown();
  progress.started(film0, 0);
  progress.again(film0.spec);
  progress.finished(film0, 0, failure(film0), 1000);
  expect(progress.snapshot()).toMatchObject({ num_done: 0, num_failed: 0 });
  expect(view()).not.toContain("failed");
  progress.started(film0, 0);
  progress.finished(film0, 0, failure(film0), 1000);
  expect(progress.snapshot()).toMatchObject({ num_done: 1, num_failed: 1 });
  expect(view()).toMatch(
    /1 of them failed[\s\S]*^ {2}film, seed 0: loss_not_finite: expected a finite loss/m,
  );
  const events = terminal.results.map((line) => check("SweepEvent", JSON.parse(line), "--json"));
  expect(events.map((event) => ("runs_again" in event ? event.runs_again : undefined))).toEqual([
    undefined,
    true,
    undefined,
    false,
  ]);
});

test("a trial that another process completed enters the leaderboard", () => {
  const { progress, terminal } = shown({
    resultOf: ({ trial_id }) => ({ trial_id, attempt: 1, acc_at_50: 0.25 }),
  });
  progress.found(token.spec);
  expect(progress.snapshot().leaderboard?.configurations).toMatchObject([
    { label: "token", acc_at_50: { mean: 0.25 } },
  ]);
  expect(check("SweepEvent", JSON.parse(terminal.results[0] ?? ""), "--json")).toMatchObject({
    state: "completed",
    acc_at_50: 0.25,
  });
});

test("of a completed attempt that was refused, the leaderboard has the one that was accepted", () => {
  const { progress, terminal } = shown({
    resultOf: ({ trial_id }) => ({ trial_id, attempt: 1, acc_at_50: 0.25 }),
  });
  const again = { ...token, number: 2 };
  progress.started(again, 0);
  progress.finished(again, 0, madeOutcome(token.spec), 1000, false);
  expect(progress.snapshot().leaderboard?.configurations).toMatchObject([
    { label: "token", num_completed: 1, acc_at_50: { mean: 0.25 } },
  ]);
  expect(terminal.lines.at(-1)).toMatch(/another attempt was accepted before/);
});

test("an interrupted attempt is neither done nor failed", () => {
  const { progress, terminal } = shown();
  progress.started(film0, 0);
  progress.finished(film0, 0, undefined, 1000);
  expect(progress.snapshot()).toMatchObject({ num_done: 0, num_failed: 0, running: [] });
  expect(check("SweepEvent", JSON.parse(terminal.results[1] ?? ""), "--json")).toMatchObject({
    state: "interrupted",
  });
});

test("the leaderboard has the highest means first, and of many configurations the first 50", () => {
  const labels = Array.from({ length: 60 }, (_, index) => ({ label: `film ${index}` }));
  const leaderboard = new Leaderboard([...labels, { label: "waiting" }]);
  for (const [index, each] of labels.entries())
    leaderboard.completed(each, { trial_id: String(index), attempt: 1, acc_at_50: index / 100 });
  const { num_configurations, configurations } = leaderboard.soFar();
  expect(num_configurations).toBe(60);
  expect(configurations.map(({ label }) => label)).toEqual(
    labels
      .map(({ label }) => label)
      .reverse()
      .slice(0, 50),
  );
});

/** A sweep whose trials all run, without a terminal, at a time that can be changed. */
function manyRunning(num: number) {
  const lines: string[] = [];
  let ms = 0;
  const stderr = { write: (text: string) => lines.push(text) };
  const terminal = makeTerminal({ stdout: stderr, stderr }, () => ms);
  const made = madeInput([{ label: "film", acc: new Array<number>(num).fill(0.5) }]).trials;
  const options = { name: "made", total: num, numSlots: num, json: false };
  const waiting = made.map(({ spec }) => spec);
  const progress = new SweepProgress(terminal, { ...options, waiting, now: () => ms });
  const attempts = made.map(madeAttempt);
  for (const [slot, attempt] of attempts.entries()) progress.started(attempt, slot);
  const event = (done: number): void => {
    const [first] = attempts;
    if (first !== undefined)
      progress.event(first, 0, { type: "progress", phase: "training", done, total: 100 });
  };
  return { lines, event, pass: (more_ms: number) => (ms += more_ms) };
}

test("without a terminal, an event costs the same for any number of running trials", () => {
  const [few, many] = [manyRunning(4), manyRunning(400)];
  expect(countSteps(() => many.event(1))).toBe(countSteps(() => few.event(1)));
});

test("without a terminal, one line names a few of the running trials", () => {
  const { lines, event, pass } = manyRunning(400);
  pass(10_000);
  event(50);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("0 of 400 trials done");
  expect(lines[0]).toContain("and 392 more running");
});
