import { expect, test } from "vitest";
import type { AttemptEnd } from "../../src/engine/launcher.ts";
import { PreparationLimits } from "../../src/sweep/prepare/preparation-limits.ts";
import { TimeLimits } from "../../src/sweep/run/time-limits.ts";
import { madeAttempt, madeSpec } from "../helpers/report-input.ts";

const preempted: AttemptEnd = { how: "preempted", reason: "SIGUSR1", limitMs: 3_480_000 };

/** The kinds of ends of attempts at one trial, each of which saved a checkpoint or not. */
function endsOf(attempts: readonly { end?: AttemptEnd; hasCheckpoint?: boolean }[]): AttemptEnd[] {
  const limits = new TimeLimits();
  const attempt = madeAttempt({ spec: madeSpec("film", 0), outcome: undefined });
  return attempts.map(({ end = preempted, hasCheckpoint = false }) =>
    limits.check({ ...attempt, hasCheckpoint: () => hasCheckpoint }, end),
  );
}

test("a trial that saves no checkpoint within the time of three workers fails, and says which limit to raise", () => {
  const [first, second, third] = endsOf([{}, {}, {}]);
  expect([first, second]).toEqual([preempted, preempted]);
  expect(third).toMatchObject({
    how: "error",
    error: { code: "timed_out", message: expect.stringMatching(/58 minutes.*3 attempts.*timeout_min/) },
  });
});

test("one that gets further with each worker goes on", () => {
  const ends = endsOf([{}, {}, { hasCheckpoint: true }, {}, {}, { hasCheckpoint: true }]);
  expect(new Set(ends)).toEqual(new Set([preempted]));
});

test("a worker that was taken away early counts for nothing", () => {
  const early: AttemptEnd = { how: "preempted", reason: "SIGTERM" };
  expect(new Set(endsOf(Array.from({ length: 9 }, () => ({ end: early }))))).toEqual(new Set([early]));
});

/** The ends of attempts to make what trials share, each of which got as far; undefined for one without an event. */
function endsAt(reached: readonly (number | undefined)[]): AttemptEnd[] {
  const limits = new PreparationLimits();
  return reached.map((done) => {
    if (done !== undefined) limits.onEvent({ type: "progress", phase: "image_features", done, total: 99 });
    return limits.check(preempted);
  });
}

test("what trials share is made as long as each worker gets further than the one before", () => {
  expect(new Set(endsAt([1, 2, 3, 3, 4, 4, 5]))).toEqual(new Set([preempted]));
});

test.each([
  ["nothing happens", [undefined, undefined, undefined], /no progress;/],
  ["they come as far as the one before", [7, 7, 7], /no progress after image_features 7;/],
])("it is no longer made if %s in the time of three workers", (_, reached, message) => {
  const [first, second, third] = endsAt(reached);
  expect([first, second]).toEqual([preempted, preempted]);
  expect(third).toMatchObject({
    how: "error",
    error: { code: "timed_out", message: expect.stringMatching(message) },
  });
});
