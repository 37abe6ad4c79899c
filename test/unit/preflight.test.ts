import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test, vi } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import { CliprpnError } from "../../src/contract/errors.ts";
import type {
  BridgeMethods,
  ClipRpnSpec,
  Preflight,
  SentenceExample,
  SpeedMeasurement,
} from "../../src/contract/generated/types.ts";
import { writeFacts } from "../../src/dataset/prepare/prepared-folder.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { checkCounts } from "../../src/preflight/counts.ts";
import { projectSweep, type TimedConfiguration } from "../../src/preflight/project.ts";
import { preflightWith } from "../../src/preflight/run-preflight.ts";
import { contextIn } from "../helpers/compare-stand-in.ts";
import { preparedFacts } from "../helpers/dataset-stats.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock(import("../../src/sweep/datasets.ts"), async (original) => ({
  ...(await original()),
  ensureDataset: async () => undefined, // It is prepared.
}));

const measured: SpeedMeasurement = {
  num_steps: 200,
  batch_size: 50,
  step_ms: 100,
  selection_ms: 1,
  prediction_ms: 3,
  image_ms: 10,
  view_ms: null,
  sentence_ms: 1,
  num_sampled_images: 160,
  map_bytes: 1000,
  sentence_bytes: 10,
  num_images: 100,
  num_train_images: 80,
  num_sentences: 500,
  num_train: 401,
  num_val: 50,
  maps_key: "maps-a",
  text_key: "text-a",
  has_maps: false,
  has_text: false,
  num_missing_views: 0,
  num_views: 0,
  resident_bytes: 0,
  checkpoint_bytes: 7_000,
  peak_memory_bytes: { process: 5_000, device: null },
};

describe("the projection of a sweep", () => {
  const spec = withEpochs(2);
  const facts = { num_baselines: 0, num_workers: 1, keep_models: "all" } as const;
  const one: TimedConfiguration = { label: "film", spec, measured, num_trials: 3, num_completed: 1 };
  // 9 steps an epoch, as the last batch counts: 401 expressions in batches of 50.
  const trialMs = 2 * 9 * 100 + 2 * 50 * 1 + 50 * 3;

  test("counts steps, selection and evaluation of each trial that is left, and features once", () => {
    const projection = projectSweep([one, { ...one, label: "other", num_completed: 0 }], facts);
    expect(projection.configurations[0]).toMatchObject({ num_steps: 18, trial_ms: trialMs });
    expect(projection).toMatchObject({ num_trials: 6, num_completed: 1, trials_ms: 5 * trialMs });
    expect(projection.features_ms).toBe(100 * 10 + 500);
    expect(projection.features_bytes).toBe(100 * 1000 + 500 * 10);
    expect(projection.total_ms).toBe(projection.features_ms + 5 * trialMs);
    expect(projection.models_bytes).toBe(2 * 5 * 7_000);
  });

  test("features in the cache cost nothing, nor do those of a configuration that is done", () => {
    const cached = { ...measured, has_maps: true, has_text: true };
    expect(projectSweep([{ ...one, measured: cached }], facts)).toMatchObject({
      features_ms: 0,
      features_bytes: 0,
    });
    expect(projectSweep([{ ...one, num_completed: 3 }], facts)).toMatchObject({
      total_ms: 0,
      models_bytes: 0,
      features_bytes: 0,
    });
  });

  test("the most views of those who share them are extracted, for training images", () => {
    const views = (num: number): TimedConfiguration => ({
      ...one,
      measured: { ...measured, has_text: true, num_views: num, num_missing_views: num, view_ms: 20 },
    });
    for (const order of [
      [1, 3],
      [3, 1],
    ])
      expect(projectSweep(order.map(views), facts)).toMatchObject({
        features_ms: 100 * 10 + 3 * 80 * 20,
        features_bytes: 100 * 1000 + 3 * 80 * 1000,
      });
  });

  test("workers share the trials, not their memory", () => {
    const onGpu = {
      ...measured,
      resident_bytes: 400,
      peak_memory_bytes: { process: 5_000, device: 600 },
    };
    const projection = projectSweep([{ ...one, measured: onGpu }], {
      ...facts,
      num_workers: 2,
      keep_models: "none",
    });
    expect(projection.total_ms).toBe(projection.features_ms + projection.trials_ms / 2);
    expect(projection).toMatchObject({
      process_memory_bytes: 10_000,
      device_memory_bytes: 2_000,
      models_bytes: 0,
    });
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

async function run(failing: Failing, images = ["a.png"]): Promise<Ran> {
  const work = tempFolder();
  const started = await start(work, failing, images);
  const folder = join(work, "out");
  const preflight = JSON.parse(readFileSync(join(folder, "preflight.json"), "utf8"));
  return { ...started, folder, preflight };
}

async function start(
  work: string,
  failing: Failing,
  images: string[],
): Promise<{ code: number; results: string[]; calls: string[] }> {
  const root = join(work, "data");
  const scratch = join(work, "scratch");
  for (const folder of [root, scratch]) mkdirSync(folder, { recursive: true });
  const counts = { num_images: 1, num_refs: 1, num_sentences: 1 };
  const splits = (["train", "val"] as const).map((split) => ({ split, ...counts }));
  writeFacts(root, { ...preparedFacts, images_dir: root, splits });
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
  const engine = new StandIn(failing, images);
  const code = await preflightWith(
    engine,
    scratch,
    { experiment: { name: "e", question: "?" }, plan, dataset, targets: [] },
    join(work, "out"),
    contextIn(work, terminal),
  );
  return { code, results: terminal.results, calls: engine.calls };
}

/** Answers as Python does, or throws. */
class StandIn implements Engine {
  readonly calls: string[] = [];

  constructor(
    readonly failing: Failing,
    readonly images: string[],
  ) {}

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
    sample_expressions: () => ({ examples: this.images.map(example) }),
    measure_speed: () => measured,
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

  async close(): Promise<void> {}
}

function example(file_name: string): SentenceExample {
  return {
    ...{ split: "val", sentence: "the cup", category: "cup", file_name },
    ...{ upright: false, width: 40, height: 30, box_xyxy: [2, 2, 20, 20] },
  };
}

function withEpochs(num_epochs: number, label = "film"): ClipRpnSpec {
  const spec = madeSpec(label, 0);
  return { ...spec, settings: { ...spec.settings, training: { ...spec.settings.training, num_epochs } } };
}

function other(): ClipRpnSpec {
  const spec = madeSpec("other", 0);
  return { ...spec, settings: { ...spec.settings, neck_channels: 8 } };
}

function statuses({ checks }: Preflight): Record<string, string> {
  return Object.fromEntries(checks.map(({ check, status }) => [check, status]));
}
