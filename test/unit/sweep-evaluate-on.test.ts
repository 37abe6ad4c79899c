import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { Arguments } from "../../src/commands/command.ts";
import { evaluateOnSplits } from "../../src/commands/evaluate-on.ts";
import { report } from "../../src/commands/report.ts";
import type { PreparedDataset, Split } from "../../src/contract/generated/types.ts";
import { checkExperiment } from "../../src/experiment/check-experiment.ts";
import { addTargets, laterTargets } from "../../src/store/later-targets.ts";
import type { SweepStore } from "../../src/store/sweep-store.ts";
import { looksAt } from "../../src/store/test-looks.ts";
import { targetsOf } from "../../src/sweep/evaluation-targets.ts";
import { predictOn } from "../../src/sweep/predict-on.ts";
import { warnOfSharedImages } from "../../src/sweep/prepare/prepare-targets.ts";
import { planOf } from "../../src/sweep/read-plan.ts";
import { makeReport } from "../../src/sweep/results/make-report.ts";
import { completedTrial, reportTrials } from "../../src/sweep/results/report-trials.ts";
import { makeData, StandInEngine } from "../helpers/compare-stand-in.ts";
import { addAttempt, addSweep } from "../helpers/made-runs.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock("../../src/report/charts/draw-charts.ts", () => import("../helpers/sweep-stand-ins.ts"));

const opened = vi.hoisted(() => ({ engine: undefined as unknown }));
vi.mock("../../src/sweep/open-engine.ts", () => ({ openEngine: async () => opened.engine }));

describe("evaluate_on is checked", () => {
  test.each<[what: string, text: string, expected: RegExp]>([
    ["no split", "mine", /^evaluate_on\[0\]: expected NAME:SPLIT/],
    ["a folder without a split", "./a:b/c", /^evaluate_on\[0\]: expected NAME:SPLIT/],
    ["an unknown split", "mine:tset", /expected a split .* found tset\. Did you mean test\?/],
    ["the training split", "mine:train", /expected another split than the one to train on/],
    [
      "a split without expressions",
      "mine:test",
      /expected a split that has expressions: val, testA, testB; found test/,
    ],
    ["an unknown dataset", "nime:val", /expected demo, or a dataset in .*, found nime/],
    ["an unknown folder", "./nime:val", /nime: expected a prepared dataset/],
  ])("%s", (_, text, expected) => {
    expect(problemsOf([text])).toEqual([[["evaluate_on", 0], expect.stringMatching(expected)]]);
  });

  test("a split that comes twice, and one that is good", () => {
    expect(problemsOf(["mine:val", "mine:testA", "demo:test", "mine:val"])).toEqual([
      [["evaluate_on", 3], expect.stringMatching(/expected each split once, found mine:val again/)],
    ]);
  });

  test("two names of one dataset are one", async () => {
    const work = prepared("refcocog-umd");
    const texts = ["refcocog:testA", "refcocog-umd:testA"];
    await expect(targetsOf(texts, "evaluate_on", {}, contextIn(work))).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/each split once, found refcocog-umd:testA again/),
    });
  });

  test("it changes no trial, and a name means the experiment's own dataset first", async () => {
    const work = prepared("mine");
    const run = contextIn(work);
    const plain = { name: "e", question: "Which is best?", dataset: { name: "mine" } };
    const idsOf = async (experiment: object) => {
      const { plan, targets } = await planOf(checked(experiment, work), run);
      return { ids: plan.trials.map(({ trial_id }) => trial_id), targets };
    };
    const { ids } = await idsOf(plain);
    const changed = await idsOf({ ...plain, evaluate_on: ["mine:testA", "demo:test"] });
    expect(changed.ids).toEqual(ids);
    expect(changed.targets.map(({ dataset, split }) => [dataset.name, split])).toEqual([
      ["mine", "testA"],
      ["demo", "test"],
    ]);
    const small = { name: "e", question: "Which is best?", dataset: { name: "demo", size: "small" } };
    const own = await idsOf({ ...small, evaluate_on: ["demo:test"] });
    const { dataset } = await planOf(checked(small, work), run);
    expect(own.targets[0]?.dataset.id).toBe(dataset.id);
  });
});

describe("predictOn", () => {
  test("a killed run computes what is missing, and only that is a look", async () => {
    const { work, engine, sweep, run, targets } = await withSweep();
    const trials = reportTrials(sweep, specs).flatMap(completedTrial);
    const options = { sweepName: "fusion", runsDir: run.runsDir, engine, context: run };
    const call = engine.call.bind(engine);
    let left = 2;
    engine.call = async (method, params) => {
      if (method === "evaluate" && left-- === 0) throw new Error("killed");
      return call(method, params);
    };
    await expect(predictOn(trials, targets, options)).rejects.toThrow("killed");
    left = Number.POSITIVE_INFINITY;
    expect(await predictOn(trials, targets, options)).toBe(4);
    expect(await predictOn(trials, targets, options)).toBe(0);
    expect(engine.of("evaluate")).toHaveLength(6);
    expect(looks(work)).toEqual([
      ["made", "testA", 3, "fusion"],
      ["made", "testA", 1, "fusion"],
      ["another", "testA", 3, "fusion"],
    ]);
  });

  test("a trial without a model stops it before any evaluation and any look", async () => {
    const { work, engine, sweep, run, targets } = await withSweep();
    const trials = reportTrials(sweep, specs).flatMap(completedTrial);
    const last = trials.at(-1);
    rmSync(join(last?.trial.attempt(last.attempt).folder ?? "", "best.safetensors"));
    const options = { sweepName: null, runsDir: run.runsDir, engine, context: run };
    await expect(predictOn(trials, targets, options)).rejects.toMatchObject({ code: "not_found" });
    expect([engine.of("evaluate"), looks(work)]).toEqual([[], []]);
  });
});

describe("the report", () => {
  test("shows the splits of the experiment together with val, with the test splits as the primary endpoint", async () => {
    const { work, engine, sweep, run, targets } = await withSweep();
    const stored = sweep.experiment();
    if (stored === undefined) throw new Error("no experiment");
    const evaluate_on = targets.map(({ dataset: { id, name, split_by }, split }) => ({
      dataset: { id, name, split_by },
      split,
    }));
    sweep.write({ ...stored, evaluate_on }, specsIn(work));
    await makeReport(sweep, "val", engine, run);
    const [combined] = engine.of("combine");
    const endpoints = combined?.endpoints as { name: string; in_primary: boolean; groups: Group[] }[];
    expect(endpoints.map(({ name, in_primary }) => [name, in_primary])).toEqual([
      ["mine:val", false],
      ["mine:testA", true],
      ["another:testA", true],
    ]);
    const [, , other] = endpoints;
    expect(other?.groups.map(({ label, trials }) => [label, trials.length])).toEqual([
      ["film", 2],
      ["token", 1],
    ]);
    expect(other?.groups[0]?.trials[0]?.predictions_dir).toMatch(/answers\/1\/on-another$/);
    expect(readFileSync(sweep.reportFile("val"), "utf8")).toMatch(/## Other splits/);
    expect(
      JSON.parse(readFileSync(join(sweep.folder, "report.json"), "utf8")).combined.endpoints,
    ).toHaveLength(3);
    await makeReport(sweep, "testA", engine, run);
    expect(engine.of("combine")).toHaveLength(1);
  });

  test("names the val split of a joint training set by the dataset that it comes from", async () => {
    const { work, engine, sweep, run } = await withSweep();
    const made = { id: "own", name: "theirs" };
    const counts = { num_images: 2, num_sentences: 2, num_images_left_out: 0, num_sentences_left_out: 0 };
    makeData(work, {
      joint: { parts: [made], val: made, excluded: [], num_val_images_tested: 0, ...counts },
    });
    addTargets(sweep, [{ dataset: { id: "another", name: "another", split_by: "own" }, split: "testA" }]);
    await makeReport(sweep, "val", engine, run);
    const endpoints = engine.of("combine")[0]?.endpoints as { name: string }[];
    expect(endpoints.map(({ name }) => name)).toEqual(["theirs:val", "another:testA"]);
    expect(readFileSync(sweep.reportFile("val"), "utf8")).toMatch(/ images of val of theirs\./);
  });

  test("without other splits it has no such section", async () => {
    const { engine, sweep, run } = await withSweep();
    await makeReport(sweep, "val", engine, run);
    expect(engine.of("combine")).toEqual([]);
    expect(readFileSync(sweep.reportFile("val"), "utf8")).not.toMatch(/## Other splits/);
  });

  test("a dataset that is gone is named", async () => {
    const { work, engine, sweep, run } = await withSweep();
    addTargets(sweep, [{ dataset: { id: "another", name: "another", split_by: "own" }, split: "testA" }]);
    rmSync(join(work, "data/another"), { recursive: true });
    await expect(makeReport(sweep, "val", engine, run)).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringMatching(/expected the dataset another \(another\)/),
    });
  });
});

describe("cliprpn evaluate --on", () => {
  test("prints a row for each trial and split, and the report of the sweep shows the splits", async () => {
    const { engine, sweep, run, terminal, work } = await withSweep();
    opened.engine = engine;
    const on = ["another:testA", "mine:testB"];
    expect(await evaluateOnSplits(argumentsOf(work, "fusion", on), run)).toBe(0);
    const rows = JSON.parse(terminal.results[0] ?? "") as Record<string, unknown>[];
    expect(rows.map(({ label, seed, split, dataset }) => [label, seed, split, dataset])).toEqual(
      [
        { split: "testA", dataset: { id: "another", name: "another" } },
        { split: "testB", dataset: { id: "made", name: "mine" } },
      ].flatMap(({ split, dataset }) =>
        [
          ["film", 0],
          ["film", 1],
          ["token", 0],
        ].map(([label, seed]) => [label, seed, split, dataset]),
      ),
    );
    expect(rows[0]?.metrics).toMatchObject({ acc_at_50: expect.any(Number) });
    expect(laterTargets(sweep).map(({ dataset, split }) => [dataset.id, split])).toEqual([
      ["another", "testA"],
      ["made", "testB"],
    ]);
    await evaluateOnSplits(argumentsOf(work, "fusion", on), run);
    expect(looks(work)).toHaveLength(2);
    await makeReport(sweep, "val", engine, run);
    expect(engine.of("combine")).toHaveLength(1);
  });

  test("one trial by the start of its id is no part of a sweep", async () => {
    const { engine, sweep, run, terminal, work } = await withSweep();
    opened.engine = engine;
    const [spec] = specs;
    await evaluateOnSplits(argumentsOf(work, spec?.trial_id ?? "", ["another:testA"]), run);
    expect(JSON.parse(terminal.results[0] ?? "")).toHaveLength(1);
    expect(looks(work)).toEqual([["another", "testA", 1, null]]);
    expect(laterTargets(sweep)).toEqual([]);
  });

  test.each([
    [{ split: "test" }, /^--split: not valid with --on/],
    [{ dataset: "mine" }, /^--dataset: not valid with --on/],
    [{ on: ["mine:nope"] }, /^--on: expected a split/],
    [{ model: "nothing" }, /and no sweep of this name: fusion$/],
  ])("%j is refused", async (changes, message) => {
    const { engine, run, work } = await withSweep();
    opened.engine = engine;
    const values = {
      model: "fusion",
      on: ["another:testA"],
      split: "val",
      "runs-dir": join(work, "runs"),
      ...changes,
    };
    await expect(evaluateOnSplits(new Arguments(values), run)).rejects.toMatchObject({
      message: expect.stringMatching(message),
    });
    expect(engine.of("evaluate")).toEqual([]);
  });
});

describe("images that are also trained on", () => {
  const pairs = (
    [
      ["train", "testA", 3, 1],
      ["train", "val", 5, 0],
      ["val", "testA", 6, 0],
    ] as const
  ).map(([first_split, second_split, num_same_file, num_same_pixels]) => ({
    ...{ first: 0, second: 1, first_split, second_split, num_same_file, num_same_pixels },
    ...{ num_first: 9, num_second: 7, examples: [] },
  }));
  const counts = { num_images: [9, 7], num_missing_files: [0, 0], num_without_pixels: [0, 0] };

  async function warned(changes: object = {}, joint?: PreparedDataset["joint"]): Promise<string[]> {
    const { engine, run, terminal, targets, work } = await withSweep();
    if (joint !== undefined) makeData(work, { joint });
    engine.call = async () => ({ ...counts, pairs, pixels: "files", ...changes }) as never;
    const [own] = targets;
    if (own === undefined) throw new Error("no target");
    await warnOfSharedImages(own.dataset, targets, engine, run);
    return terminal.lines;
  }

  test("are counted for the split that they are in", async () => {
    expect(await warned()).toEqual([
      expect.stringMatching(
        /^warning: another:testA: 4 of 7 images are also in the images to train on \(mine:train\)/,
      ),
    ]);
  });

  test("images that cannot be read are counted, too", async () => {
    const [first] = await warned({ num_missing_files: [0, 2], num_without_pixels: [0, 2] });
    expect(first).toMatch(/^warning: another: 2 images cannot be read, and were not compared/);
  });

  test("splits that a joint training set has left out are not compared, others are", async () => {
    const facts = {
      ...{ parts: [], val: { id: "made", name: "mine" }, num_images: 9, num_sentences: 9 },
      ...{ num_images_left_out: 0, num_sentences_left_out: 0, num_val_images_tested: 0 },
    };
    const excluded = { id: "another", name: "another", pictures_sha256: "" };
    expect(await warned({}, { ...facts, excluded: [{ ...excluded, splits: ["val", "testA"] }] })).toEqual([]);
    expect(await warned({}, { ...facts, excluded: [{ ...excluded, splits: ["val"] }] })).toHaveLength(1);
  });

  test("evaluate --on warns of them; a dataset that is gone cannot be compared", async () => {
    const { engine, run, terminal, work } = await withSweep();
    opened.engine = engine;
    await evaluateOnSplits(argumentsOf(work, "fusion", ["another:testA"]), run);
    expect(engine.of("compare_datasets")).toEqual([
      { roots: [join(work, "data/mine"), join(work, "data/another")], cache_dir: expect.any(String) },
    ]);
    rmSync(join(work, "data/mine"), { recursive: true });
    await evaluateOnSplits(argumentsOf(work, "fusion", ["another:testA"]), run);
    expect(terminal.lines.at(-2)).toMatch(/^warning: .*mine: the dataset mine \(made\) is not there/);
  });
});

describe("--fail-if of a sweep's report", () => {
  const judged = async (args: object) => {
    const { engine, sweep, run, terminal, work } = await withSweep();
    opened.engine = engine;
    addTargets(sweep, [{ dataset: { id: "another", name: "another", split_by: "own" }, split: "testA" }]);
    const values = { sweep: "fusion", split: "val", "runs-dir": join(work, "runs"), ...args };
    const code = await report(new Arguments(values), run);
    return { code, lines: terminal.lines.filter((line) => line.includes("--fail-if")) };
  };

  test("is about val, and with `primary.` about the primary endpoint", async () => {
    const conditions = ["best.acc_at_50.mean < 99", "primary.best.acc_at_50.mean < 61"];
    const { code, lines } = await judged({ "fail-if": conditions });
    expect(code).toBe(5);
    expect(lines).toEqual([
      expect.stringMatching(/holds on val: best\.acc_at_50\.mean < 99/),
      expect.stringMatching(/holds over the splits: primary\.best\.acc_at_50\.mean < 61 \(.* is 60\)/),
    ]);
    expect(await judged({ "fail-if": ["primary.best.acc_at_50.mean < 59"] })).toEqual({ code: 0, lines: [] });
  });

  test("has no `primary.` in the report on another split", async () => {
    const conditions = ["primary.best.acc_at_50.mean < 61"];
    await expect(judged({ split: "testA", "fail-if": conditions })).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/expected no `primary\.` without several splits/),
    });
  });
});

interface Group {
  label: string;
  trials: { predictions_dir: string }[];
}

const specs = [madeSpec("film", 0), madeSpec("film", 1), madeSpec("token", 0)];

function specsIn(work: string) {
  return specs.map((spec) => ({ ...spec, dataset: { ...spec.dataset, root: join(work, "data/mine") } }));
}

async function withSweep() {
  const work = prepared("mine");
  makeData(work, { id: "another", name: "another" });
  const terminal = recordingTerminal();
  const run = contextIn(work, terminal);
  for (const spec of specsIn(work)) addAttempt(run.runsDir, spec);
  const sweep: SweepStore = addSweep(run.runsDir, "fusion", specsIn(work));
  const targets = await targetsOf(["mine:testA", "another:testA"], "evaluate_on", { name: "mine" }, run);
  return { work, engine: new StandInEngine(), sweep, run, terminal, targets };
}

function prepared(name: string): string {
  const work = tempFolder();
  makeData(work, { name });
  return work;
}

function argumentsOf(work: string, model: string, on: string[]): Arguments {
  return new Arguments({ model, on, split: "val", "runs-dir": join(work, "runs") });
}

function problemsOf(evaluate_on: string[]): [unknown, string][] {
  const work = prepared("mine");
  const value = { name: "e", question: "Which is best?", dataset: { name: "mine" }, evaluate_on };
  return checkedIn(value, work).problems.map(({ path, message }) => [path, message]);
}

function checked(value: object, work: string) {
  const { experiment, settings, problems } = checkedIn(value, work);
  expect(problems).toEqual([]);
  return { experiment, settings };
}

function checkedIn(value: object, work: string) {
  mkdirSync(join(work, "data"), { recursive: true });
  writeFileSync(join(work, "e.json"), JSON.stringify(value));
  return checkExperiment(value, "e.json", work, work, {
    data: join(work, "data"),
    findSplits: ({ name }): Split[] | undefined =>
      name === "mine" ? ["train", "val", "testA", "testB"] : undefined,
  });
}

function looks(work: string): unknown[] {
  return ["made", "another"].flatMap((id) =>
    looksAt(join(work, "runs"), id).map(({ split, num_trials, sweep }) => [id, split, num_trials, sweep]),
  );
}
