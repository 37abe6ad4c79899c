import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { diskEstimate, spaceError } from "../../src/sweep/estimate/disk-need.ts";
import { folderName } from "../../src/sweep/estimate/feature-needs.ts";
import { measurementKey } from "../../src/sweep/estimate/measurements.ts";
import { addSeen, addSeenSweep, estimateIn, madeData, planIn, specIn } from "../helpers/estimated-sweep.ts";
import { addFeatures, addPixels, addStore } from "../helpers/made-features.ts";
import { addAttempt, addFailure, addSweep, oldCode } from "../helpers/made-runs.ts";
import { madeBaselineSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const current = { sources_sha256: codeHashes().cliprpn };

describe("the time of the trials", () => {
  test("is not known without an earlier trial, and nothing is made up", async () => {
    const work = tempFolder();
    const { estimate } = await estimateIn(work, planIn(work, [specIn(work, "film", 0)]));
    expect(estimate).toMatchObject({ num_trials: 1, time: null, trials_time: null });
    expect(estimate.basis).toEqual([{ label: "film", num_left: 1, source: null, num_seen: 0, trial: null }]);
    expect(estimate.unknown.join()).toMatch(/features.*film/);
    expect(findSchemaErrors("SweepEstimate", estimate)).toEqual([]);
  });

  test("follows from trials of the same configuration: mean, shortest and longest, in proportion to the epochs", async () => {
    const work = tempFolder();
    addFeatures(work);
    const [first, second, ...left] = [0, 1, 2, 3, 4].map((seed) => specIn(work, "film", seed));
    seen(work, first, { training: 1000, evaluation: 100 });
    seen(work, second, { training: 3000, evaluation: 300 });
    const longer = [5, 6].map((seed) => specIn(work, "film, 6 epochs", seed, { num_epochs: 6 }));
    const read = planIn(
      work,
      [first, second, ...left, ...longer].flatMap((spec) => spec ?? []),
    );
    const { estimate } = await estimateIn(work, read);
    // Three whole trials, and two with three times as many epochs.
    expect(estimate.trials_time?.ms).toBeCloseTo(3 * 2200 + 2 * (6000 + 200));
    expect(estimate.trials_time?.low_ms).toBeCloseTo(3 * 1100 + 2 * (3000 + 100));
    expect(estimate.trials_time?.high_ms).toBeCloseTo(3 * 3300 + 2 * (9000 + 300));
    expect(estimate.basis.map(({ source, num_seen }) => [source, num_seen])).toEqual([
      ["same_trials", 2],
      ["same_trials", 2],
    ]);
  });

  test("is shared by slots: three equal trials on two take as long as two", async () => {
    const work = tempFolder();
    addFeatures(work);
    const specs = [0, 1, 2, 3].map((seed) => specIn(work, "film", seed));
    seen(work, specs[0], { training: 1000, evaluation: 0 });
    const times = [];
    for (const numSlots of [1, 2, 3, 9])
      times.push((await estimateIn(work, planIn(work, specs), { numSlots })).estimate.trials_time?.ms);
    expect(times).toEqual([3000, 2000, 1000, 1000]);
  });

  test("on other data is in proportion to the expressions", async () => {
    const work = tempFolder();
    addFeatures(work);
    const large = madeData(work, "large", 10);
    const earlier = specIn(work, "film", 7, { dataset: large });
    seenIn(work, "earlier", [[earlier, { training: 10_000, evaluation: 5000 }]], { num_val: 500 });
    const { estimate } = await estimateIn(work, planIn(work, [specIn(work, "film", 0)]));
    expect(estimate.basis[0]).toMatchObject({ source: "other_data", num_seen: 1 });
    expect(estimate.trials_time?.ms).toBeCloseTo(1000 + 500);
  });

  test("of a new configuration is that of others of its preset and sizes", async () => {
    const work = tempFolder();
    addFeatures(work);
    seenIn(work, "earlier", [
      [specIn(work, "narrow", 0, { neck_channels: 64 }), { training: 1000, evaluation: 100 }],
      [specIn(work, "wide", 0, { neck_channels: 128 }), { training: 2000, evaluation: 100 }],
    ]);
    const { estimate } = await estimateIn(work, planIn(work, [specIn(work, "film", 0)]));
    expect(estimate.basis[0]).toMatchObject({
      source: "other_settings",
      num_seen: 2,
      trial: { ms: 1600, low_ms: 1100, high_ms: 2100 },
    });
  });

  test.each<[string, object, object]>([
    ["another number of threads", { num_threads: 2 }, {}],
    ["another batch size", { batch_size: 7 }, {}],
    ["another machine", {}, { device_name: "another processor" }],
  ])("does not follow from trials with %s", async (_, changes, place) => {
    const work = tempFolder();
    addFeatures(work);
    seenIn(work, "earlier", [[specIn(work, "film", 7, changes), { training: 1, evaluation: 1 }]], place);
    const { estimate } = await estimateIn(work, planIn(work, [specIn(work, "film", 0)]));
    expect(estimate.basis[0]).toMatchObject({ source: null });
  });

  test("on other machines follows from the newest trial's, and not from what was measured on this one", async () => {
    const work = tempFolder();
    addFeatures(work);
    const place = { device_name: "a processor of the cluster" };
    seenIn(work, "earlier", [[specIn(work, "film", 7), { training: 1000, evaluation: 0 }]], place);
    const read = planIn(work, [specIn(work, "film", 0)]);
    expect((await estimateIn(work, read)).estimate.trials_time).toBeNull();
    expect((await estimateIn(work, read, { isElsewhere: true })).estimate.trials_time?.ms).toBeCloseTo(1000);
    const [spec] = read.plan.trials;
    if (spec === undefined) throw new Error("one trial");
    const on = { cacheDir: spec.cache_dir, device: "cpu", numSlots: 1, targets: [] };
    expect(measurementKey(spec, { ...on, isElsewhere: true })).not.toBe(measurementKey(spec, on));
  });

  test("one earlier trial has the spread of the others", async () => {
    const work = tempFolder();
    addFeatures(work);
    const wide = { neck_channels: 64 };
    seenIn(work, "earlier", [
      [specIn(work, "film", 7), { training: 900, evaluation: 0 }],
      [specIn(work, "film", 8), { training: 1100, evaluation: 0 }],
      [specIn(work, "wide", 7, wide), { training: 2000, evaluation: 0 }],
    ]);
    const { estimate } = await estimateIn(work, planIn(work, [specIn(work, "wide", 0, wide)]));
    expect(estimate.trials_time?.ms).toBeCloseTo(2000);
    expect(estimate.trials_time?.low_ms).toBeCloseTo(1800);
    expect(estimate.trials_time?.high_ms).toBeCloseTo(2200);
  });

  test("of a baseline is that of its earlier trial on the same data only", async () => {
    const work = tempFolder();
    const baseline = (name: string) => ({
      ...madeBaselineSpec("YOLO", { best_box: 0.5 }),
      dataset: madeData(work, name),
      cache_dir: join(work, "cache"),
      trial_id: (name === "data" ? "a" : "b").repeat(16),
    });
    seenIn(work, "earlier", [[baseline("other"), { training: 0, evaluation: 700 }]]);
    const unknown = await estimateIn(work, planIn(work, [baseline("data")]));
    expect(unknown.estimate.trials_time).toBeNull();
    expect(unknown.estimate.unknown.join()).toContain("YOLO");
    const again = { ...baseline("data"), trial_id: "c".repeat(16) };
    seenIn(work, "same", [[again, { training: 0, evaluation: 900 }]]);
    const known = await estimateIn(work, planIn(work, [baseline("data")]));
    expect(known.estimate.trials_time?.ms).toBe(900);
  });

  test("without the dataset, nothing is known, also not that features exist", async () => {
    const work = tempFolder();
    const gone = { ...madeData(work), root: join(work, "gone") };
    const { estimate } = await estimateIn(work, planIn(work, [specIn(work, "film", 0, { dataset: gone })]));
    expect(estimate).toMatchObject({ time: null, trials_time: null });
    expect(estimate.disk.parts).toContainEqual(
      expect.objectContaining({ part: "maps", num: null, bytes: null }),
    );
    expect(estimate.disk.file_systems[0]?.is_complete).toBe(false);
  });
});

test("the time of another split is not known while its dataset is not prepared", async () => {
  const work = tempFolder();
  addFeatures(work);
  seenIn(work, "earlier", [[specIn(work, "film", 7), { training: 1000, evaluation: 100 }]]);
  const others = madeData(work, "others");
  const on = async (root: string) => {
    const target = { dataset: { ...others, root }, split: "val" as const };
    const read = { ...planIn(work, [specIn(work, "film", 0)]), targets: [target] };
    const { estimate } = await estimateIn(work, read);
    const part = estimate.parts.find((each) => each.part === "other_splits");
    const answers = estimate.disk.parts.find((each) => each.part === "answers");
    return { ms: part?.time?.ms ?? null, amount: part?.amount, num: answers?.num, unknown: estimate.unknown };
  };
  expect(await on(others.root)).toMatchObject({ ms: 100, amount: "1 trial x 50 expressions", num: 1 });
  expect(await on(join(work, "gone"))).toMatchObject({
    ms: null,
    amount: "1 trial",
    num: 1,
    unknown: expect.arrayContaining(["the evaluation on other splits"]),
  });
});

describe("trials of a sweep that has run", () => {
  test("are done, stale, failed, running in another process, or continue a checkpoint", async () => {
    const work = tempFolder();
    addFeatures(work);
    const runsDir = join(work, "runs");
    const specs = [0, 1, 2, 3, 4, 5].map((seed) => ({ ...specIn(work, "film", seed), ...current }));
    const [done, stale, failed, elsewhere, resumed, killed] = specs;
    if (!done || !stale || !failed || !elsewhere || !resumed || !killed) throw new Error("six");
    const sweep = addSweep(runsDir, "e", specs);
    addSeen(runsDir, done, { training: 10_000, evaluation: 2000 });
    addAttempt(runsDir, stale, { code: oldCode });
    addFailure(sweep, failed, addAttempt(runsDir, failed, { state: "unfinished" }));
    claim(new TrialStore(runsDir, elsewhere.trial_id).claimFolder);
    checkpoint(sweep, resumed, 4000, current.sources_sha256);
    checkpoint(sweep, killed, 4000, oldCode);
    const { planned, estimate } = await estimateIn(work, planIn(work, specs));
    expect(planned.map(({ state }) => state)).toEqual([
      "completed",
      "stale",
      "failed",
      "running_elsewhere",
      "resumes",
      "waiting",
    ]);
    // What is left of one, and a whole one: other code does not continue its checkpoint.
    expect(estimate).toMatchObject({ num_trials: 2, num_resumed: 1 });
    expect(estimate.trials_time?.ms).toBeCloseTo(12_000 - 4000 + 12_000, -2);
    expect(estimate.unknown.join()).toContain("1 trial in another process");
  });

  test("a completed attempt that a killed process did not accept is done, and nothing is written", async () => {
    const work = tempFolder();
    const runsDir = join(work, "runs");
    const spec = { ...specIn(work, "film", 0), ...current };
    addAttempt(runsDir, spec, { accepted: false });
    const before = readdirSync(runsDir, { recursive: true });
    const { planned } = await estimateIn(work, planIn(work, [spec]));
    expect(planned).toMatchObject([{ state: "completed" }]);
    expect(readdirSync(runsDir, { recursive: true })).toEqual(before);
  });
});

describe("the disk", () => {
  test("needs models, predictions and checkpoints below the runs folder, and features in the cache", async () => {
    const work = tempFolder();
    const specs = [0, 1, 2, 3].map((seed) => specIn(work, "film", seed));
    seen(work, specs[0], { training: 1000, evaluation: 0 });
    const { estimate } = await estimateIn(work, planIn(work, specs), { numSlots: 2 });
    const parts = Object.fromEntries(estimate.disk.parts.map((each) => [each.part, [each.num, each.bytes]]));
    expect(parts).toEqual({
      images: [null, null],
      maps: [100, 100 * 512 * 7 * 7 * 2],
      text: [451, 451 * (192 + 12 * 48) * 2],
      models: [6, 6 * 5000],
      predictions: [3, 3 * "predictions".length],
      checkpoints: [2, 2 * 8 * 5000],
    });
    expect(estimate.disk.file_systems).toMatchObject([{ free_bytes: 1e12, is_complete: false }]);
  });

  test("views are those of the training images, and partly extracted features count by what is left", async () => {
    const work = tempFolder();
    const dataset = madeData(work);
    addPixels(dataset.root);
    const maps = { dataset_id: "data", pixels_id: "p1", weights_id: "made" };
    addStore(work, folderName("maps", maps), { "progress.json": '{"progress": {"done": 60, "rows": {}}}' });
    addStore(work, folderName("view", { ...maps, views: "1", seed: 0, number: 1 }), {
      "manifest.json": "{}",
    });
    const { estimate } = await estimateIn(
      work,
      planIn(work, [specIn(work, "film", 0, { dataset, views: 3 })]),
    );
    const num = Object.fromEntries(estimate.disk.parts.map((each) => [each.part, each.num]));
    // Mirrored expressions of train at most; Python knows which ones mirroring changes.
    expect(num).toMatchObject({ maps: 40, views: 2 * 80, text: 451 + 400 });
  });

  test("adds up by file system, and does not fit if one of them is too small", async () => {
    const part = (name: "maps" | "models", folder: string, bytes: number | null) => ({
      part: name,
      num: 1,
      bytes,
      folder,
    });
    const findDisk = async (folder: string) => ({ free_bytes: 1000, device: folder === "/cache" ? 1 : 2 });
    const parts = [part("maps", "/cache", 900), part("models", "/runs", 600), part("models", "/runs", 300)];
    const apart = await diskEstimate(parts, findDisk);
    expect(apart.file_systems.map(({ needed_bytes }) => needed_bytes)).toEqual([900, 900]);
    expect(spaceError(apart, "x")).toBeUndefined();
    const together = await diskEstimate(parts, async () => ({ free_bytes: 1000, device: 1 }));
    expect(spaceError(together, "buy one")).toMatchObject({
      code: "no_space",
      message: expect.stringMatching(/^\/cache: expected 2 KB .*found 1 KB.*buy one$/),
    });
    const unknown = await diskEstimate([part("maps", "/cache", null)], findDisk);
    expect(unknown.file_systems).toMatchObject([{ needed_bytes: 0, is_complete: false }]);
  });
});

type Spec = Parameters<typeof addSeen>[1];
type Times = Parameters<typeof addSeen>[2];

/** A trial of the sweep itself that has completed. */
function seen(work: string, spec: Spec | undefined, times: Times): void {
  if (spec !== undefined) addSeen(join(work, "runs"), spec, times);
}

/** Trials of another sweep that have completed. */
function seenIn(
  work: string,
  name: string,
  trials: [Spec, Times][],
  place: Parameters<typeof addSeen>[3] = {},
): void {
  for (const [spec, times] of trials) addSeen(join(work, "runs"), spec, times, place);
  addSeenSweep(
    join(work, "runs"),
    name,
    trials.map(([spec]) => spec),
  );
}

/** A lock of this process, which lives. */
function claim(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "1"), "damaged");
}

/** An attempt that was killed, long after its start, with a checkpoint after so much training. */
function checkpoint(sweep: SweepStore, spec: Spec, training_ms: number, sources_sha256: string): void {
  const trial = new TrialStore(sweep.runsDir, spec.trial_id);
  const attempt = addAttempt(sweep.runsDir, spec, { state: "unfinished" });
  const journal = sweep.journal.open();
  journal.append({ type: "trial_started", trial_id: spec.trial_id, attempt, slot: 0 });
  journal.close();
  const file = trial.checkpointFile(attempt);
  const head = JSON.stringify({ sources_sha256, training_ms });
  writeFileSync(file, `cliprpn checkpoint 1 ${"0".repeat(64)} ${head}\nPK`);
  const saved = Date.now() / 1000 + 3600;
  utimesSync(file, saved, saved);
}
