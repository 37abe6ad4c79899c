import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test, vi } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import { CliprpnError } from "../../src/contract/errors.ts";
import type {
  BaselineMeasurement,
  BridgeMethods,
  ClipRpnSpec,
  FeatureNeed,
  Preflight,
  SampleExpressionsResult,
  SentenceExample,
  SpeedMeasurement,
  SweepProjection,
  Timing,
} from "../../src/contract/generated/types.ts";
import { writeFacts } from "../../src/dataset/prepare/prepared-folder.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { trainedYolo } from "../../src/experiment/presets.ts";
import { checkCounts } from "../../src/preflight/counts.ts";
import type { SpeedCheck } from "../../src/preflight/measure.ts";
import {
  projectSweep,
  type SweepMeasurements,
  type MeasuredBaseline as TimedBaseline,
  type MeasuredConfiguration as TimedConfiguration,
} from "../../src/preflight/project.ts";
import { preflightWith } from "../../src/preflight/run-preflight.ts";
import { checkSpeed } from "../../src/preflight/speed.ts";
import { preparedFacts } from "../helpers/dataset-stats.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeBaselineSpec, madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock(import("../../src/sweep/datasets.ts"), async (original) => ({
  ...(await original()),
  ensureDataset: async () => undefined, // It is prepared.
}));

/** A duration whose range is a tenth less and a fifth more. */
function timing(ms: number): Timing {
  return { ms, low_ms: 0.9 * ms, high_ms: 1.2 * ms };
}

const need: FeatureNeed = {
  maps_key: "maps-a",
  text_key: "text-a",
  has_maps: false,
  has_text: false,
  num_images: 100,
  num_sentences: 500,
  num_view_images: 80,
  num_missing_views: 0,
  num_missing_mirrored: 0,
};

const measured: SpeedMeasurement = {
  num_steps: 200,
  batch_size: 50,
  step: timing(100),
  selection: timing(1),
  prediction: timing(3),
  image: timing(10),
  view: null,
  sentence: timing(1),
  save: timing(5),
  num_sampled_images: 160,
  map_bytes: 1000,
  sentence_bytes: 10,
  prediction_bytes: 100,
  checkpoint_bytes: 7_000,
  num_train: 401,
  num_val: 50,
  num_evaluated: 0,
  num_views: 0,
  features: [need],
  resident_bytes: 0,
  peak_memory_bytes: { process: 5_000, device: null },
};

const measuredBaseline: BaselineMeasurement = {
  num_images: 24,
  shared: [
    { key: "yolo", image: timing(20), image_bytes: 200, may_be_cached: false },
    { key: "crop of yolo", image: timing(30), image_bytes: 300, may_be_cached: false },
  ],
  sentence: timing(2),
  prediction_bytes: 100,
  val: { key: "a val", num_images: 10, num_sentences: 50 },
  others: [],
};

describe("the projection of a sweep", () => {
  const spec = withEpochs(2);
  const one: TimedConfiguration = {
    ...{ label: "film", spec, measured, num_trials: 3, num_completed: 1, num_to_evaluate: 0 },
  };
  const sweep: SweepMeasurements = {
    configurations: [one],
    baselines: [],
    report: { first: timing(100), another: timing(50), splits: null },
    start: timing(1000),
    num_workers: 1,
    num_workers_timed: 1,
    keep_models: "all",
    num_trials: 3,
    num_completed: 1,
    num_configurations: 1,
    not_projected: [],
    disk_parts: [],
    num_reused: 0,
    measured_at: undefined,
  };
  // 9 steps an epoch, as the last batch counts: 401 expressions in batches of 50. Every second epoch is the best so far.
  const trialMs = 2 * 9 * 100 + 2 * 50 * 1 + 2 * 5 + 50 * 3;
  const featuresMs = 100 * 10 + 500;

  test("counts steps, selection, saving and evaluation of each trial that is left, and features once", () => {
    const second = { ...one, label: "other", num_completed: 0 };
    const projection = projectSweep({ ...sweep, configurations: [one, second], num_configurations: 2 });
    expect(projection.configurations[0]).toMatchObject({ num_steps: 18, trial: { ms: trialMs } });
    expect(partsOf(projection)).toEqual({
      start: 1000,
      features: featuresMs,
      training: 5 * 2 * 9 * 100,
      selection: 5 * 2 * 50,
      saving: 5 * 2 * 5,
      evaluation: 5 * 50 * 3,
      report: 150,
    });
    expect(projection.total.ms).toBeCloseTo(1000 + featuresMs + 5 * trialMs + 150);
    expect(projection).toMatchObject({
      features_bytes: 100 * 1000 + 500 * 10,
      models_bytes: 2 * 5 * 7_000,
      predictions_bytes: 5 * 50 * 100,
    });
  });

  test("has a range, from what was measured and from how many models are saved", () => {
    const { total, parts } = projectSweep(sweep);
    const saving = parts.find(({ part }) => part === "saving");
    // The first epoch is the best, or every one; and the last one is saved.
    expect(saving).toMatchObject({ ms: 2 * 10, low_ms: 2 * 2 * 4.5, high_ms: 2 * 3 * 6 });
    const steady = total.ms - 2 * 10;
    expect(total.low_ms).toBeCloseTo(0.9 * steady + 2 * 2 * 4.5);
    expect(total.high_ms).toBeCloseTo(1.2 * steady + 2 * 3 * 6);
  });

  test("features in the cache cost nothing, and nothing is left of a sweep that is done", () => {
    const cached = { ...measured, features: [{ ...need, has_maps: true, has_text: true }] as [FeatureNeed] };
    const projection = projectSweep({ ...sweep, configurations: [{ ...one, measured: cached }] });
    expect(projection.features_bytes).toBe(0);
    expect(partsOf(projection)).not.toHaveProperty("features");
    const done = projectSweep({ ...sweep, configurations: [{ ...one, num_completed: 3 }] });
    expect(done).toMatchObject({ total: { ms: 0 }, parts: [], models_bytes: 0, features_bytes: 0 });
  });

  test("the most views of those who share them are extracted, for training images", () => {
    const views = (num: number): TimedConfiguration => ({
      ...one,
      measured: {
        ...measured,
        features: [{ ...need, has_text: true, num_missing_views: num, num_missing_mirrored: 40 }],
        num_views: num,
        view: timing(20),
      },
    });
    for (const order of [
      [1, 3],
      [3, 1],
    ]) {
      const projection = projectSweep({ ...sweep, configurations: order.map(views) });
      expect(partsOf(projection).features).toBe(100 * 10 + 3 * 80 * 20 + 40);
      expect(projection.features_bytes).toBe(100 * 1000 + 3 * 80 * 1000 + 40 * 10);
    }
  });

  test("other splits cost an evaluation of each trial that has no answers there, and the features of their dataset", () => {
    const other = { ...need, maps_key: "maps-b", text_key: "text-b", num_images: 7, num_sentences: 30 };
    const target = { ...measured, num_evaluated: 20, features: [need, other] as [FeatureNeed, FeatureNeed] };
    const projection = projectSweep({
      ...sweep,
      configurations: [{ ...one, measured: target, num_to_evaluate: 3 }],
      report: { ...sweep.report, splits: timing(40) },
    });
    expect(partsOf(projection)).toMatchObject({
      features: featuresMs + 7 * 10 + 30,
      other_splits: 3 * 20 * 3,
      report: 140,
    });
    expect(projection.predictions_bytes).toBe((2 * 50 + 3 * 20) * 100);
  });

  test("baselines share detections and embeddings, unless they are of another split", () => {
    const others = [{ key: "a test", num_images: 5, num_sentences: 20 }];
    const baseline: TimedBaseline = {
      ...{ label: "YOLO, crop", num_trials: 1, num_completed: 0, num_to_evaluate: 1 },
      measured: { ...measuredBaseline, others },
    };
    const projection = projectSweep({
      ...sweep,
      configurations: [],
      baselines: [baseline, { ...baseline, label: "YOLO, crop and prior" }],
    });
    expect(partsOf(projection)).toMatchObject({
      baselines: 10 * (20 + 30) + 2 * 50 * 2,
      other_splits: 5 * (20 + 30) + 2 * 20 * 2,
    });
    expect(projection.baselines_bytes).toBe((10 + 5) * (200 + 300));
  });

  test("baselines whose results may be in the cache may cost less", () => {
    const shared = measuredBaseline.shared.map((each) => ({ ...each, may_be_cached: true }));
    const baseline = { ...{ label: "b", num_trials: 1, num_completed: 0, num_to_evaluate: 0 } };
    const { parts } = projectSweep({
      ...sweep,
      configurations: [],
      baselines: [{ ...baseline, measured: { ...measuredBaseline, shared } }],
    });
    expect(parts.find(({ part }) => part === "baselines")).toMatchObject({ ms: 600, low_ms: 0.9 * 50 * 2 });
  });

  test("workers share the trials, not their memory", () => {
    const onGpu = {
      ...measured,
      resident_bytes: 400,
      peak_memory_bytes: { process: 5_000, device: 600 },
    };
    const projection = projectSweep({
      ...sweep,
      configurations: [{ ...one, measured: onGpu, num_completed: 0 }],
      num_workers: 2,
      keep_models: "none",
    });
    // Three trials on two workers take as long as two.
    expect(projection.total.ms).toBeCloseTo(1000 + featuresMs + 2 * trialMs + 100);
    expect(projection).toMatchObject({
      process_memory_bytes: 10_000,
      device_memory_bytes: 2_000,
      file_cache_bytes: 100 * 1000 + 500 * 10 - 400,
      models_bytes: 0,
    });
  });
});

describe("time, memory, disk", () => {
  const disk = async () => ({ free_bytes: 1e4, device: 1 });

  test("a disk that is too small fails, with what to do", async () => {
    const { finding } = await checkSpeed(speedCheck(measured), disk);
    expect(finding).toMatchObject({
      status: "failed",
      found: expect.stringMatching(/expected \S+ KB of free disk space, found 10 KB/),
      fix: expect.stringContaining("CLIPRPN_CACHE"),
    });
  });

  test("the cache and the runs may be on different disks", async () => {
    // 100 maps of 1,000 bytes and text; four models of 7,000 bytes and a checkpoint of eight.
    const disks = (cache: number, runs: number) => async (folder: string) =>
      folder.includes("runs") ? { free_bytes: runs, device: 2 } : { free_bytes: cache, device: 1 };
    const status = async (find: ReturnType<typeof disks>) =>
      (await checkSpeed(speedCheck(measured), find)).finding.status;
    expect(await status(disks(1.2e5, 1.2e5))).toBe("passed");
    expect(await status(disks(0.9e5, 1.2e5))).toBe("failed");
    expect(await status(disks(1.2e5, 0.8e5))).toBe("failed");
    expect(await status(async () => ({ free_bytes: 1.2e5, device: 1 }))).toBe("failed");
  });

  test("more memory than the machine has fails", async () => {
    const huge = { ...measured, peak_memory_bytes: { process: 1e15, device: null } };
    const { finding } = await checkSpeed(speedCheck(huge));
    expect(finding).toMatchObject({ status: "failed", fix: expect.stringContaining("--workers") });
  });

  test("a baseline whose detector is not trained yet is named, not counted", async () => {
    const { finding, projection } = await checkSpeed(
      speedCheck(measured, { measure_baseline: new CliprpnError("weights_missing", "none") }),
    );
    expect(projection.not_projected).toEqual([expect.stringContaining("not trained yet")]);
    expect(finding.found).toContain("not counted: ");
    expect(projection.parts.map(({ part }) => part)).not.toContain("baselines");
  });

  test("several workers are timed at the same time, and all are closed", async () => {
    const check = speedCheck(measured);
    const others: StandIn[] = [];
    const openAnother = async (): Promise<Engine> => {
      const slow = new StandIn({}, [], {}, { ...measured, step: timing(300) });
      others.push(slow);
      return slow;
    };
    const { projection } = await checkSpeed({ ...check, openAnother, run: { ...check.run, numWorkers: 2 } });
    expect(projection).toMatchObject({ num_workers: 2, num_workers_timed: 2 });
    expect(projection.configurations[0]?.step).toEqual({ ms: 200, low_ms: 90, high_ms: 360 });
    expect(others.map(({ isClosed }) => isClosed)).toEqual([true]);
    await expect(
      checkSpeed({
        ...check,
        openAnother,
        measureAgain: true,
        run: { ...check.run, numWorkers: 2 },
        engine: new StandIn({ measure_speed: new CliprpnError("out_of_memory", "full") }, []),
      }),
    ).rejects.toMatchObject({ code: "out_of_memory" });
    expect(others.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  });
});

describe("a second preflight", () => {
  test("measures nothing again, says so, and projects the same", async () => {
    const check = speedCheck(measured);
    const first = await checkSpeed(check);
    const { calls } = check.engine as StandIn;
    const num = calls.length;
    const second = await checkSpeed(check);
    expect(calls).toHaveLength(num);
    expect(second.projection).toEqual(first.projection);
    expect(first.finding.found).not.toContain("--measure-again");
    expect(second.finding.found).toMatch(
      /3 measurements are of an earlier preflight \(.* UTC\).*--measure-again/,
    );
    await checkSpeed({ ...check, measureAgain: true });
    expect(calls.slice(num)).toEqual(["measure_speed", "measure_baseline", "measure_report"]);
  });

  test("measures what depends on a changed setting, or other code", async () => {
    const check = speedCheck(measured);
    await checkSpeed(check);
    const { calls } = check.engine as StandIn;
    const timed = async (change: (spec: ClipRpnSpec) => ClipRpnSpec): Promise<string[]> => {
      const num = calls.length;
      const { plan } = check.read;
      const trials = plan.trials.flatMap((spec) => (spec.kind === "cliprpn" ? [change(spec)] : []));
      await checkSpeed({ ...check, read: { ...check.read, plan: { ...plan, trials } } });
      return calls.slice(num);
    };
    const withTraining = (changes: Partial<ClipRpnSpec["settings"]["training"]>) => (spec: ClipRpnSpec) => ({
      ...spec,
      settings: { ...spec.settings, training: { ...spec.settings.training, ...changes } },
    });
    expect(await timed(withTraining({ num_epochs: 9 }))).toEqual([]);
    expect(await timed(withTraining({ batch_size: 7 }))).toEqual(["measure_speed"]);
    expect(await timed((spec) => ({ ...spec, sources_sha256: "1".repeat(64) }))).toEqual([
      "measure_speed",
      "measure_report",
    ]);
  });
});

describe("counts of splits", () => {
  const umd = { name: "refcocog-umd", split_by: "umd" } as const;
  const splits = [
    { split: "train", num_images: 21_899, num_refs: 42_226, num_sentences: 80_512 },
    { split: "val", num_images: 1_300, num_refs: 2_573, num_sentences: 4_896 },
    { split: "test", num_images: 2_600, num_refs: 5_023, num_sentences: 9_602 },
  ] as const;

  test("the published ones pass, and one expression less fails", () => {
    expect(checkCounts([{ ...umd, splits: [...splits] }]).status).toBe("passed");
    const [train, val, ...others] = splits;
    const less = checkCounts([{ ...umd, splits: [train, { ...val, num_sentences: 4_895 }, ...others] }]);
    expect(less.status).toBe("failed");
    expect(less.found).toMatch(/val: expected 4,896 .*found 4,895/);
    expect(less.fix).toMatch(/prepare/);
  });

  test("a person's data are counted, not checked", () => {
    const own = checkCounts([{ name: "mine", split_by: "own", splits: [splits[1]] }]);
    expect(own.status).toBe("not_checked");
    expect(own.found).toMatch(/4,896 expressions/);
  });
});

describe("the command", () => {
  test("writes all files and passes; a dataset without published counts is no failure", async () => {
    const { code, folder, results, preflight, calls } = await run({});
    expect(code).toBe(0);
    expect(results.at(-1)).toBe(join(folder, "PREFLIGHT.md"));
    expect(statuses(preflight)).toMatchObject({ weights: "passed", boxes: "passed", speed: "passed" });
    expect(preflight.checks.find(({ check }) => check === "counts")?.status).toBe("not_checked");
    expect(findSchemaErrors("Preflight", preflight)).toEqual([]);
    expect(preflight.projection?.configurations.map(({ num_trials }) => num_trials)).toEqual([2, 1, 1]);
    // Seeds and numbers of epochs change no step.
    expect(calls.filter((method) => method === "measure_speed")).toHaveLength(2);
    expect(readFileSync(join(folder, "PREFLIGHT.md"), "utf8")).toContain("preflight-boxes.png");
    const { width } = await sharp(join(folder, "preflight-boxes.png")).metadata();
    expect(width).toBeGreaterThan(1000);
  });

  test("an unexpected error of one check fails it alone, and its traceback is in a file", async () => {
    const failing = {
      preflight_check: new CliprpnError("internal", "TypeError: no; the traceback is in /cache/logs/w.log", {
        cause: "Traceback (most recent call last)",
      }),
    };
    const { code, folder, results, preflight } = await run(failing);
    expect(code).toBe(3);
    expect(statuses(preflight)).toMatchObject({ weights: "failed", boxes: "passed", speed: "passed" });
    const weights = preflight.checks.find(({ check }) => check === "weights");
    expect(weights).toMatchObject({ found: "TypeError: no", traceback_file: "preflight-traceback.txt" });
    expect(readFileSync(join(folder, "preflight-traceback.txt"), "utf8")).toContain("Traceback (most recent");
    expect(results.join("\n")).not.toContain("Traceback");
  });

  test("an error of the machine has advice and no traceback", async () => {
    const { code, folder, preflight } = await run({
      measure_speed: new CliprpnError("out_of_memory", "out of memory: 2 GiB"),
    });
    expect(code).toBe(3);
    expect(preflight.projection).toBeNull();
    expect(preflight.checks.find(({ check }) => check === "speed")).toMatchObject({
      status: "failed",
      fix: expect.stringContaining("training.batch_size"),
      traceback_file: null,
    });
    expect(existsSync(join(folder, "preflight-traceback.txt"))).toBe(false);
  });

  test("an image that cannot be read fails", async () => {
    const { preflight } = await run({}, ["a.png", "missing.png"]);
    expect(preflight.checks.find(({ check }) => check === "boxes")).toMatchObject({
      status: "failed",
      found: expect.stringMatching(/1 image of 2 .*missing\.png/),
    });
  });

  test("an image of another size than its boxes fails", async () => {
    const { preflight } = await run({}, ["a.png", "b.png"], { examples: [example("a.png"), wideExample()] });
    expect(preflight.checks.find(({ check }) => check === "boxes")).toMatchObject({
      status: "failed",
      found: expect.stringMatching(/a\.png: expected 80 x 30, found 40 x 30/),
      fix: expect.stringContaining("prepare the dataset again"),
    });
  });

  test("boxes outside their images fail, with their place", async () => {
    const outside = ["a.png (40 x 30): box 2, 2, 90, 20 of sentence 7"];
    const { code, preflight } = await run({}, ["a.png"], { num_outside: 1, outside });
    expect(code).toBe(3);
    expect(preflight.checks.find(({ check }) => check === "boxes")).toMatchObject({
      status: "failed",
      found: expect.stringMatching(/^1 of 2 boxes .*sentence 7/),
      fix: expect.stringContaining("--box-format"),
    });
  });

  test("a dataset without images has its boxes checked, but none is drawn", async () => {
    const { folder, preflight } = await run({}, ["a.png"], {}, null);
    expect(preflight.checks.find(({ check }) => check === "boxes")).toMatchObject({
      status: "not_checked",
      found: expect.stringMatching(/^2 boxes lie inside .*--images/),
    });
    expect(existsSync(join(folder, "preflight-boxes.png"))).toBe(false);
  });

  test("lines on the terminal have at most 80 columns", async () => {
    const { results } = await run({
      preflight_check: new CliprpnError(
        "weights_missing",
        `/a/${"long/".repeat(40)}RN50.pt: expected a file`,
      ),
    });
    expect(results.join("\n")).toContain("What to do: ");
    const lines = results.slice(0, -1).flatMap((text) => text.split("\n"));
    expect(lines.filter((line) => line.length > 79)).toEqual([]);
  });

  test("an interrupt ends it, and no file is written", async () => {
    const work = tempFolder();
    const error = new CliprpnError("interrupted", "interrupted");
    await expect(start(work, { measure_speed: error }, ["a.png"])).rejects.toBe(error);
    expect(existsSync(join(work, "out"))).toBe(false);
    expect(readdirSync(work)).not.toContain("runs");
  });
});

type Failing = Partial<Record<keyof BridgeMethods, Error>>;

interface Ran {
  code: number;
  folder: string;
  results: string[];
  calls: string[];
  preflight: Preflight;
}

async function run(
  failing: Failing,
  images = ["a.png"],
  sample: Partial<SampleExpressionsResult> = {},
  images_dir?: null,
): Promise<Ran> {
  const work = tempFolder();
  const started = await start(work, failing, images, sample, images_dir);
  const folder = join(work, "out");
  const preflight = JSON.parse(readFileSync(join(folder, "preflight.json"), "utf8"));
  return { ...started, folder, preflight };
}

async function start(
  work: string,
  failing: Failing,
  images: string[],
  sample: Partial<SampleExpressionsResult> = {},
  images_dir: string | null = join(work, "data"),
): Promise<{ code: number; results: string[]; calls: string[] }> {
  const root = join(work, "data");
  const scratch = join(work, "scratch");
  for (const folder of [root, scratch]) mkdirSync(folder, { recursive: true });
  const counts = { num_images: 1, num_refs: 1, num_sentences: 1 };
  const splits = (["train", "val"] as const).map((split) => ({ split, ...counts }));
  writeFacts(root, { ...preparedFacts, images_dir, splits });
  await sharp({ create: { width: 40, height: 30, channels: 3, background: "blue" } })
    .png()
    .toFile(join(root, "a.png"));
  const { id, name, split_by } = preparedFacts;
  const dataset = { id, name, root, split_by };
  const trials = [madeSpec("film", 0), madeSpec("film", 1), withEpochs(3, "long"), other()].map((spec) => ({
    ...spec,
    dataset,
    cache_dir: work,
  }));
  const plan = { name: "e", question: "?", trials, published: [], keep_models: "all" as const, alpha: 0.05 };
  const terminal = recordingTerminal();
  const engine = new StandIn(failing, images, sample);
  const code = await preflightWith(
    { engine, openAnother: async () => engine, start_ms: 10, scratch },
    { experiment: { name: "e", question: "?" }, plan, dataset, targets: [] },
    { folder: join(work, "out"), overfit_limit_s: 60, measureAgain: false },
    contextIn(work, terminal),
  );
  return { code, results: terminal.results, calls: engine.calls };
}

/** Two trials that train a model, and a baseline with a YOLO that the sweep trains. */
function speedCheck(speed: SpeedMeasurement, failing: Failing = {}): SpeedCheck {
  const work = tempFolder();
  const { id, name, split_by } = preparedFacts;
  const dataset = { id, name, split_by, root: join(work, "data") };
  mkdirSync(dataset.root);
  writeFacts(dataset.root, {
    ...preparedFacts,
    splits: [
      { split: "train", num_images: 80, num_refs: 400, num_sentences: 401 },
      { split: "val", num_images: 20, num_refs: 50, num_sentences: 50 },
    ],
  });
  const specs = [
    madeSpec("film", 0),
    madeSpec("film", 1),
    madeBaselineSpec("YOLO", { best_box: 0.5, detector: trainedYolo }),
  ];
  const trials = specs.map((spec) => ({ ...spec, dataset, cache_dir: join(work, "cache") }));
  const plan = { name: "e", question: "?", trials, published: [], keep_models: "all" as const, alpha: 0.05 };
  const engine = new StandIn(failing, [], {}, speed);
  return {
    read: { experiment: { name: "e", question: "?" }, plan, dataset, targets: [] },
    device: "cpu",
    scratch_dir: work,
    engine,
    openAnother: async () => engine,
    start: timing(10),
    measureAgain: false,
    run: { ...contextIn(work, recordingTerminal()), numWorkers: 1 },
  };
}

/** Answers as Python does, or throws. */
class StandIn implements Engine {
  readonly calls: string[] = [];

  constructor(
    readonly failing: Failing,
    readonly images: string[],
    readonly sample: Partial<SampleExpressionsResult> = {},
    readonly speed: SpeedMeasurement = measured,
  ) {}

  isClosed = false;

  async call<M extends keyof BridgeMethods>(
    method: M,
    params: BridgeMethods[M]["params"],
  ): Promise<BridgeMethods[M]["result"]> {
    this.calls.push(method);
    const error = this.failing[method];
    if (error !== undefined) throw error;
    return this.#answers[method]?.(params as never) as BridgeMethods[M]["result"];
  }

  readonly #answers: Record<string, (params: never) => unknown> = {
    preflight_check: () => ({ status: "passed", found: "as published", fix: null, figures: [] }),
    sample_expressions: () => ({
      examples: this.images.map(example),
      num_boxes: 2,
      num_outside: 0,
      outside: [],
      ...this.sample,
    }),
    measure_report: () => ({ first: timing(100), another: timing(50), splits: null }),
    measure_speed: () => this.speed,
    measure_baseline: () => measuredBaseline,
    describe_machine: () => ({
      environment: madeOutcome(madeSpec("film", 0)).environment,
      devices: ["cpu"],
      device_memory_bytes: null,
      cuda_version: null,
    }),
  };

  launch(): never {
    throw new Error("preflight runs no trial");
  }

  async device(): Promise<string> {
    return "cpu";
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

function example(file_name: string): SentenceExample {
  return {
    ...{ split: "val", sentence: "the cup", category: "cup", file_name },
    ...{ upright: false, width: 40, height: 30, box_xyxy: [2, 2, 20, 20] },
  };
}

function wideExample(): SentenceExample {
  return { ...example("a.png"), width: 80 };
}

function withEpochs(num_epochs: number, label = "film"): ClipRpnSpec {
  const spec = madeSpec(label, 0);
  return { ...spec, settings: { ...spec.settings, training: { ...spec.settings.training, num_epochs } } };
}

function other(): ClipRpnSpec {
  const spec = madeSpec("other", 0);
  return { ...spec, settings: { ...spec.settings, neck_channels: 8 } };
}

function partsOf({ parts }: SweepProjection): Record<string, number> {
  return Object.fromEntries(parts.map(({ part, ms }) => [part, ms]));
}

function statuses({ checks }: Preflight): Record<string, string> {
  return Object.fromEntries(checks.map(({ check, status }) => [check, status]));
}
