import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { looksAt } from "../../src/store/test-looks.ts";
import { compareIn, makeData, StandInEngine, writeAnswers } from "../helpers/compare-stand-in.ts";
import { addAttempt, addSweep } from "../helpers/made-runs.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock("../../src/report/charts/draw-charts.ts", () => import("../helpers/sweep-stand-ins.ts"));

const two = ["qwen=qwen.jsonl", "other=other.jsonl"];

describe("cliprpn compare", () => {
  test("one split: the report has the plain names, and comparison.json says what was compared", async () => {
    const work = prepared();
    const made = await compareIn(work, { data: ["mine:testA"], results: two, name: "vlms" });
    expect(made.file).toBe("runs/comparisons/vlms/REPORT.md");
    expect(readdirSync(made.folder).sort()).toEqual([
      "REPORT.html",
      "REPORT.md",
      "comparison.json",
      "report",
      "report-lock",
      "report.json",
    ]);
    expect(readdirSync(join(made.folder, "report"))).toEqual(["mine-testA"]);
    const stored = readJson(join(made.folder, "comparison.json"));
    expect(stored.models.map(({ label, kind }: { label: string; kind: string }) => [label, kind])).toEqual([
      ["qwen", "results"],
      ["other", "results"],
    ]);
    expect(stored.data[0]).toMatchObject({ name: "mine:testA", in_primary: true });
  });

  test("several splits: an overview with the plain names and a report for each; one fewer leaves no file", async () => {
    const work = prepared();
    const data = ["mine:testA", "mine:testB", "mine"];
    const { folder } = await compareIn(work, { data, results: two, name: "vlms" });
    const texts = readdirSync(folder).filter((name) => name.endsWith(".md"));
    expect(texts.sort()).toEqual([
      "REPORT-mine-testA.md",
      "REPORT-mine-testB.md",
      "REPORT-mine-val.md",
      "REPORT.md",
    ]);
    await compareIn(work, { data: data.slice(0, 2), results: two, name: "vlms" });
    expect(readdirSync(folder).filter((name) => name.includes("mine-val"))).toEqual([]);
    expect(readdirSync(join(folder, "report"))).not.toContain("mine-val");
  });

  test("each file is read once for all splits, and never again", async () => {
    const work = prepared();
    const engine = new StandInEngine();
    const options = { data: ["mine:testA", "mine:testB"], results: two, engine };
    await compareIn(work, options);
    expect(engine.of("read_answers").map(({ targets }) => (targets as unknown[]).length)).toEqual([2, 2]);
    await compareIn(work, options);
    expect(engine.of("read_answers")).toHaveLength(2);
    writeFileSync(join(work, "qwen.jsonl"), "other answers");
    await compareIn(work, options);
    expect(engine.of("read_answers")).toHaveLength(3);
  });

  test("the primary endpoint: all test splits by default, else what is declared", async () => {
    const work = prepared();
    const engine = new StandInEngine();
    const data = ["mine:val", "mine:testA", "mine:testB"];
    await compareIn(work, { data, results: two, engine });
    await compareIn(work, { data, results: two, engine, primary: ["mine:val"] });
    const primaries = engine
      .of("combine")
      .map(({ endpoints }) => (endpoints as { in_primary: boolean }[]).map(({ in_primary }) => in_primary));
    expect(primaries).toEqual([
      [false, true, true],
      [true, false, false],
    ]);
  });

  test("several files are repeats in their order, with positions as seeds", async () => {
    const work = prepared();
    const engine = new StandInEngine();
    const results = ["qwen=qwen.jsonl", "qwen=other.jsonl"];
    await compareIn(work, { data: ["mine"], results, repeats: ["decoding"], engine });
    const [group] = (engine.of("summarize")[0]?.groups ?? []) as {
      repeats: string;
      trials: { seed: number }[];
    }[];
    expect(group).toMatchObject({
      label: "qwen",
      kind: "results",
      repeats: "decoding",
      num_planned_seeds: 2,
    });
    expect(group?.trials.map(({ seed }) => seed)).toEqual([0, 1]);
  });

  test("a file for one split: the other splits do not have it", async () => {
    const work = prepared();
    const engine = new StandInEngine();
    const results = ["qwen@mine:testA=qwen.jsonl", "qwen@mine:testB=other.jsonl", "b=b.jsonl"];
    writeAnswers(work, "b.jsonl");
    await compareIn(work, { data: ["mine:testA", "mine:testB"], results, engine });
    const files = engine
      .of("read_answers")
      .map(({ file, targets }) => [
        String(file).slice(work.length + 1),
        (targets as { split: string }[]).map(({ split }) => split),
      ]);
    expect(files).toEqual([
      ["qwen.jsonl", ["testA"]],
      ["other.jsonl", ["testB"]],
      ["b.jsonl", ["testA", "testB"]],
    ]);
  });

  test("two files with the same content: other splits may have them, repeats of a split may not", async () => {
    const work = prepared();
    writeFileSync(join(work, "qwen.jsonl"), "the same");
    writeFileSync(join(work, "other.jsonl"), "the same");
    const data = ["mine:testA", "mine:testB"];
    const bySplit = ["qwen@mine:testA=qwen.jsonl", "qwen@mine:testB=other.jsonl"];
    const engine = new StandInEngine();
    await compareIn(work, { data, results: bySplit, engine });
    expect(engine.of("read_answers").map(({ targets }) => (targets as unknown[]).length)).toEqual([1, 1]);
    const results = ["qwen=qwen.jsonl", "qwen@mine:testB=qwen.jsonl", "qwen@mine:testB=other.jsonl"];
    await expect(compareIn(work, { data, results, repeats: ["decoding"] })).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/other\.jsonl: .*on mine:testB.*qwen\.jsonl/),
    });
  });

  test("a file that changes while it is read is refused, and its answers are not kept", async () => {
    const work = prepared();
    const engine = new StandInEngine();
    const call = engine.call.bind(engine);
    engine.call = (method, params) => {
      if (method === "read_answers") writeFileSync(join(work, "qwen.jsonl"), "changed");
      return call(method, params);
    };
    const options = { data: ["mine"], results: two.slice(0, 1) };
    await expect(compareIn(work, { ...options, engine })).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("qwen.jsonl: changed while it was read"),
    });
    writeAnswers(work, "qwen.jsonl");
    const again = new StandInEngine();
    await compareIn(work, { ...options, engine: again });
    expect(again.of("read_answers")).toHaveLength(1);
  });

  test("what is no file is named as what it is, without a suggestion of itself", async () => {
    const work = prepared();
    execFileSync("mkfifo", [join(work, "pipe.jsonl")]);
    symlinkSync("/dev/zero", join(work, "zero.jsonl"));
    symlinkSync("loop.jsonl", join(work, "loop.jsonl"));
    mkdirSync(join(work, "folder.jsonl"));
    for (const [name, found] of [
      ["pipe.jsonl", "a pipe or a device"],
      ["zero.jsonl", "a pipe or a device"],
      ["loop.jsonl", "no file"],
      ["folder.jsonl", "a folder"],
    ]) {
      const message = await messageOf(compareIn(work, { data: ["mine"], results: [`a=${name}`] }));
      expect(message).toContain(`found ${found}`);
      expect(message).not.toContain(`Did you mean ${name}`);
      const options = { data: ["mine"], results: two, protocol: [`qwen=${name}`] };
      expect(await messageOf(compareIn(work, options))).toContain(`found ${found}`);
    }
  });

  test("a protocol that is too large to be parsed is refused with its size", async () => {
    const work = prepared();
    writeFileSync(join(work, "large.json"), "");
    truncateSync(join(work, "large.json"), 3e9);
    const options = { data: ["mine"], results: two, protocol: ["qwen=large.json"] };
    expect(await messageOf(compareIn(work, options))).toContain("found 3.0 GB, more than 67.1 MB");
  });

  test("each model's line on the terminal", async () => {
    const terminal = recordingTerminal();
    await compareIn(prepared(), { data: ["mine"], results: two.slice(0, 1), terminal });
    expect(terminal.lines[0]).toBe(
      "qwen: 4,888 of 4,896 expressions answered (6 missing, 2 unparsed: misses), boxes xyxy_1000; 1 duplicate and 3 rows of other expressions left out",
    );
  });
});

describe("looks at test", () => {
  test("reading files on a test split is one look for each split; writing the report again is none", async () => {
    const work = prepared();
    const options = { data: ["mine:testA", "mine:testB", "mine:val"], results: two };
    await compareIn(work, options);
    await compareIn(work, options);
    expect(looks(work)).toEqual([
      ["testA", 2],
      ["testB", 2],
    ]);
  });

  test("another reading of the same file is a look; the same answers after a lost conversion are none", async () => {
    const work = prepared();
    await compareIn(work, { data: ["mine:testA"], results: two });
    await compareIn(work, { data: ["mine:testA"], results: two, coordinates: ["qwen=xyxy_norm"] });
    rmSync(join(work, "runs/answers"), { recursive: true });
    await compareIn(work, { data: ["mine:testA"], results: two });
    expect(looks(work)).toEqual([
      ["testA", 2],
      ["testA", 1],
    ]);
  });

  test("a file that is refused is no look, and nothing of it remains", async () => {
    const work = prepared();
    const engine = new StandInEngine();
    writeFileSync(join(work, "other.jsonl"), "broken");
    await expect(compareIn(work, { data: ["mine:testA"], results: two, engine })).rejects.toMatchObject({
      code: "data_invalid",
    });
    expect(engine.of("read_answers")).toHaveLength(2);
    expect(existsSync(join(work, "runs"))).toBe(false);
    // What was there before stays.
    await compareIn(work, { data: ["mine:testA"], results: two.slice(0, 1), name: "kept" });
    const names = (): string[] =>
      readdirSync(join(work, "runs"), { recursive: true, encoding: "utf8" }).filter(
        (name) => !/report-lock\/\d+$/.test(name),
      );
    const before = names();
    await expect(compareIn(work, { data: ["mine:testA"], results: two, name: "kept" })).rejects.toThrow();
    await expect(compareIn(work, { data: ["mine:testA"], results: two, name: "new" })).rejects.toThrow();
    expect(names()).toEqual(before);
  });

  test("the problems of all files are told at once", async () => {
    const work = prepared();
    writeFileSync(join(work, "qwen.jsonl"), "broken 1");
    writeFileSync(join(work, "other.jsonl"), "broken 2");
    await expect(compareIn(work, { data: ["mine:testA"], results: two })).rejects.toMatchObject({
      code: "data_invalid",
      // The problems of all files.
      message: expect.stringMatching(/qwen\.jsonl:1: .*\n.*other\.jsonl:1: /),
    });
    expect(looks(work)).toEqual([]);
  });

  test("an error after the conversion keeps the converted files, with their look", async () => {
    const work = prepared();
    const engine = new StandInEngine();
    engine.failing = "summarize";
    const options = { data: ["mine:testA"], results: two, engine };
    await expect(compareIn(work, options)).rejects.toThrow("killed in summarize");
    expect(readdirSync(join(work, "runs")).sort()).toEqual(["answers", "test-looks.jsonl"]);
    engine.failing = undefined;
    await compareIn(work, options);
    expect(engine.of("read_answers")).toHaveLength(2);
    expect(looks(work)).toEqual([["testA", 2]]);
  });
});

describe("trials", () => {
  test("all configurations of a sweep, one of them, and a trial, beside a file", async () => {
    const { work, engine } = withSweep();
    await compareIn(work, { data: ["mine"], results: ["a=fusion", "qwen=qwen.jsonl"], engine });
    await compareIn(work, { data: ["mine"], results: ["a=fusion:film", "qwen=qwen.jsonl"], engine });
    const { trial_id } = madeSpec("token", 0);
    await compareIn(work, { data: ["mine"], results: [`a=trial:${trial_id}`, "qwen=qwen.jsonl"], engine });
    expect(engine.of("summarize").map(labelsOf)).toEqual([
      ["a/film", "a/token", "qwen"],
      ["a", "qwen"],
      ["a", "qwen"],
    ]);
  });

  test("files and trials that one command reads on a test split are one look", async () => {
    const { work, engine } = withSweep();
    const options = { data: ["mine:testA", "mine:testB"], results: ["a=fusion:film", "qwen=qwen.jsonl"] };
    await compareIn(work, { ...options, engine });
    expect(engine.of("evaluate")).toHaveLength(4);
    expect(looks(work)).toEqual([
      ["testA", 3], // A file and two trials.
      ["testB", 3],
    ]);
    // The trials of another configuration are new answers.
    await compareIn(work, { ...options, results: ["a=fusion:token", "qwen=qwen.jsonl"], engine });
    expect(looks(work).slice(2)).toEqual([
      ["testA", 1],
      ["testB", 1],
    ]);
  });

  test("options for files do not concern them, unless one names them", async () => {
    const { work, engine } = withSweep();
    const options = { data: ["mine"], results: ["a=fusion:film", "qwen=qwen.jsonl"], engine };
    await compareIn(work, { ...options, coordinates: ["xyxy_1000"], format: ["table"] });
    expect(engine.of("read_answers")[0]?.reading).toMatchObject({ format: "table" });
    for (const name of ["coordinates", "format", "columns"]) {
      const value = { coordinates: "a=xyxy", format: "a=table", columns: "a=sent_id=id" }[name];
      await expect(compareIn(work, { ...options, [name]: [value] })).rejects.toThrow(
        `--${name} ${value}  a: only valid for files of answers`,
      );
    }
  });

  test("on another dataset they are evaluated there, which is a look at its test split, and not chosen by its val", async () => {
    const { work, engine } = withSweep();
    makeData(work, { id: "another", name: "another" });
    await compareIn(work, { data: ["another:testA"], results: ["a=fusion:film"], engine });
    const [evaluated] = engine.of("evaluate");
    expect(evaluated).toMatchObject({ split: "testA", dataset: { id: "another" } });
    expect(String(evaluated?.out_dir)).toMatch(/answers\/1\/on-another$/);
    const [group] = (engine.of("summarize")[0]?.groups ?? []) as { trials: { val_acc_at_50: unknown }[] }[];
    expect(group?.trials.map(({ val_acc_at_50 }) => val_acc_at_50)).toEqual([null, null]);
    expect(looksAt(join(work, "runs"), "another").map(({ num_trials }) => num_trials)).toEqual([2]);
    // Images that were also trained on would be warned of.
    const roots = ["mine", "another"].map((name) => join(work, "data", name));
    expect(engine.of("compare_datasets").map((params) => params.roots)).toEqual([roots]);
  });
});

function withSweep(): { work: string; engine: StandInEngine } {
  const work = prepared();
  const runs = join(work, "runs");
  const specs = [madeSpec("film", 0), madeSpec("film", 1), madeSpec("token", 0)].map((spec) => ({
    ...spec,
    dataset: { ...spec.dataset, root: join(work, "data/mine") },
  }));
  for (const spec of specs) addAttempt(runs, spec);
  addSweep(runs, "fusion", specs);
  return { work, engine: new StandInEngine() };
}

function labelsOf({ groups }: Record<string, unknown>): string[] {
  return (groups as { label: string }[]).map(({ label }) => label);
}

async function messageOf(made: Promise<unknown>): Promise<string> {
  const error: unknown = await made.then(
    () => undefined,
    (reason) => reason,
  );
  return (error as Error).message;
}

function prepared(): string {
  const work = tempFolder();
  makeData(work);
  writeAnswers(work, "qwen.jsonl", "other.jsonl");
  return work;
}

function looks(work: string): [string, number][] {
  return looksAt(join(work, "runs"), "made").map(({ split, num_trials }) => [split, num_trials]);
}

function readJson(file: string): Record<string, never[]> & { models: never[]; data: never[] } {
  return JSON.parse(readFileSync(file, "utf8"));
}
