import { expect, test } from "vitest";
import { leftMs, remainingMs, type SweepState } from "../../src/sweep/eta.ts";

const state = (changes: Partial<SweepState>): SweepState => ({
  running: [],
  waiting: [],
  finished: new Map(),
  numSlots: 1,
  ...changes,
});
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
  ["two slots", { waiting: ["film", "film"], finished: new Map([["film", [1000]]]), numSlots: 2 }, 1000],
  ["more slots than trials", { waiting: ["film"], finished: new Map([["film", [1000]]]), numSlots: 4 }, 1000],
  ["at least the longest running trial", { running: [film(0.5, 8000), film(0.9, 900)], numSlots: 2 }, 8000],
])("remaining time from %s", (_what, changes, expected) => {
  const left = remainingMs(state(changes));
  if (expected === undefined) expect(left).toBeUndefined();
  else expect(left).toBeCloseTo(expected, 6);
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
