import { describe, expect, test } from "vitest";
import { displayWidth } from "../../src/base/display-width.ts";
import type { SweepEstimate, TrialSpec } from "../../src/contract/generated/types.ts";
import { describeTiming, shortDuration } from "../../src/sweep/estimate/describe-time.ts";
import { seedsText } from "../../src/sweep/estimate/plan-table.ts";
import { planText, type ShownPlan } from "../../src/sweep/estimate/plan-text.ts";
import type { PlannedTrial } from "../../src/sweep/estimate/planned-trials.ts";
import { madeBaselineSpec, madeSpec } from "../helpers/report-input.ts";

const minute = 60_000;
const trial = { ms: 4 * minute, low_ms: 3.5 * minute, high_ms: 5 * minute };

const estimate: SweepEstimate = {
  num_trials: 4,
  num_resumed: 1,
  num_slots: 2,
  time: { ms: 14 * minute, low_ms: 12 * minute, high_ms: 18 * minute },
  trials_time: { ms: 12 * minute, low_ms: 10 * minute, high_ms: 15 * minute },
  parts: [],
  basis: [
    { label: "film", num_left: 3, source: "same_trials", num_seen: 5, trial },
    { label: "YOLO, crop", num_left: 1, source: "preflight", num_seen: 0, trial: { ...trial, ms: 30_000 } },
  ],
  unknown: [],
  disk: {
    parts: [
      { part: "images", num: 3720, bytes: 560e6, folder: "/data/mine" },
      { part: "maps", num: 3720, bytes: 187e6, folder: "/cache" },
      { part: "views", num: 4800, bytes: 241e6, folder: "/cache" },
      { part: "text", num: 10_225, bytes: 15.7e6, folder: "/cache" },
      { part: "detections", num: 360, at_most: true, bytes: null, folder: "/cache" },
      { part: "models", num: 6, bytes: 31.1e6, folder: "/runs" },
      { part: "predictions", num: 4, bytes: 0.8e6, folder: "/runs" },
      { part: "checkpoints", num: 2, bytes: 82.9e6, folder: "/runs" },
    ],
    file_systems: [
      { folder: "/cache", needed_bytes: 1e9, free_bytes: 22.1e9, is_complete: false },
      { folder: "/runs", needed_bytes: 115e6, free_bytes: 9.5e9, is_complete: true },
    ],
  },
};

/** Trials of film with seeds 0 to 5, one in each state, and a baseline. */
function planned(): PlannedTrial[] {
  const film = (seed: number): { spec: TrialSpec } => ({ spec: madeSpec("film", seed) });
  return [
    { ...film(0), state: "waiting" },
    { ...film(1), state: "waiting" },
    { ...film(2), state: "resumes", worked_ms: 60_000 },
    { ...film(3), state: "completed" },
    { ...film(4), state: "stale" },
    { ...film(5), state: "running_elsewhere", owner: "pid 12 on lab (cliprpn sweep b.json)" },
    { spec: madeBaselineSpec("YOLO, crop", { best_box: 0.5 }), state: "waiting" },
  ];
}

function shown(changes: Partial<ShownPlan> = {}, ofEstimate: Partial<SweepEstimate> = {}): ShownPlan {
  const all = changes.planned ?? planned();
  return {
    plan: {
      name: "fusion",
      question: "Which fusion grounds best?",
      trials: all.map(({ spec }) => spec),
      keep_models: "all",
    },
    planned: all,
    estimate: { ...estimate, ...ofEstimate },
    slots: ["cuda:0", "cuda:1"],
    preflight: "`cliprpn preflight fusion.json`",
    ...changes,
  };
}

describe("the text of --dry-run", () => {
  test("says what is done, what is made, and what it takes", () => {
    expect(`${planText(shown())}\n`).toBe(`\
Which fusion grounds best?

configuration  kind      seeds   to run  done  stale  elsewhere  a trial
film           default   0 to 5       3     1      1          1    4 min
YOLO, crop     baseline  -            1     0                       30 s

Trials   4 to run, 1 done, 1 done by other code (stale), 1 running in another
           process
         1 of them from its last checkpoint
         running elsewhere: pid 12 on lab (cliprpn sweep b.json)
         on cuda:0 and cuda:1, 2 at the same time, 2 threads each
To make  3,720 images to decode, 560 MB
         CLIP features of 3,720 images, 187 MB
         CLIP features of 4,800 augmented views, 241 MB
         CLIP features of 10,225 expressions, 15.7 MB
         detections in at most 360 images, of unknown size
Disk     models (keep_models all) 31.1 MB, predictions 800 KB, checkpoints
           while trials run 82.9 MB
         at least 1.0 GB at the peak, 22.1 GB free: /cache
         115 MB at the peak, 9.5 GB free: /runs
Time     about 12 min (10 min to 15 min) for the trials, for film from 5
           earlier trials; for YOLO, crop from what \`cliprpn preflight\` measured
           here
         about 14 min (12 min to 18 min) for the whole command

7 trials, fusion; nothing was started
`);
  });

  test("says what is not known, and how to measure it", () => {
    const unknown = ["extracting the features", "trials of film", "the report"];
    const text = planText(shown({}, { time: null, trials_time: null, unknown }));
    expect(text).toContain("unknown: extracting the features; trials of film; the report");
    expect(text.replace(/\s+/g, " ")).toContain("measure with `cliprpn preflight fusion.json`");
    expect(text).not.toMatch(/about|whole command/);
    const partly = planText(shown({}, { time: null, unknown: ["the report"] }));
    expect(partly).toContain("not counted: the report");
    expect(partly).not.toContain("preflight fusion.json");
  });

  test("says that a disk is too small", () => {
    const file_systems = [{ folder: "/runs", needed_bytes: 2e9, free_bytes: 1e9, is_complete: true }];
    const text = planText(shown({}, { disk: { ...estimate.disk, file_systems } }));
    expect(text).toContain("DOES NOT FIT: 2.0 GB at the peak, 1.0 GB free: /runs");
  });

  test("is short for many configurations, and has at most 80 columns whatever their labels", () => {
    const labels = Array.from({ length: 500 }, (_, index) => `${"長い名前 ".repeat(12)}${index}`);
    const many = labels.flatMap((label) =>
      [0, 1].map((seed): PlannedTrial => ({ spec: madeSpec(label, seed), state: "waiting" })),
    );
    const folder = `/${"long/".repeat(30)}`;
    const file_systems = [{ folder, needed_bytes: 1, free_bytes: 2, is_complete: true }];
    const unknown = [`trials of ${labels.slice(0, 3).join(", ")}`];
    const lines = planText(
      shown({ planned: many }, { unknown, trials_time: null, disk: { parts: [], file_systems } }),
    ).split("\n");
    expect(lines.length).toBeLessThan(60);
    expect(lines).toContain("and 481 other configurations; --json lists all");
    expect(lines.at(-1)).toBe("1,000 trials, fusion; nothing was started");
    expect(lines.filter((line) => displayWidth(line) > 80)).toEqual([]);
  });

  test("of a sweep that is done has nothing to make", () => {
    const done = planned().map(({ spec }): PlannedTrial => ({ spec, state: "completed" }));
    const none = { ms: 0, low_ms: 0, high_ms: 0 };
    const text = planText(
      shown(
        { planned: done, slots: [] },
        {
          num_trials: 0,
          num_resumed: 0,
          time: none,
          trials_time: none,
          basis: [],
          disk: { parts: [], file_systems: [] },
        },
      ),
    );
    expect(text).toMatch(/Trials {3}0 to run, 7 done\n\n7 trials, fusion; nothing was started$/);
  });
});

test.each([
  [[0, 1, 2, 3], "0 to 3"],
  [[0, 1], "0, 1"],
  [[0, 2, 7], "0, 2, 7"],
  [[5, 1, 2, 9, 10], "5, 1, 2, …"],
])("seeds %j are shown as %s", (seeds, text) => {
  expect(seedsText(seeds)).toBe(text);
});

test.each([
  [8200, "8.2 s"],
  [65_000, "1 min 5 s"],
  [252_000, "4 min"],
  [3_900_000, "1 h 5 min"],
])("%d ms is %s in an estimate", (ms, text) => {
  expect(shortDuration(ms)).toBe(text);
});

test("a time without spread has no range", () => {
  expect(describeTiming({ ms: 5e5, low_ms: 5e5, high_ms: 5e5 })).toBe("about 8 min");
  expect(describeTiming({ ms: 5e5, low_ms: 4e5, high_ms: 6e5 })).toBe("about 8 min (7 min to 10 min)");
});
