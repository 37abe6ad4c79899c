import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { readComparisonOptions } from "../../src/compare/comparison-options.ts";
import { runComparison } from "../../src/compare/run-comparison.ts";
import { openSweeps } from "../../src/compare/sweeps.ts";
import { withSweep } from "../../src/compare/with-sweep.ts";
import { collectGarbage, planGarbage } from "../../src/runs/collect-garbage.ts";
import { listComparisons } from "../../src/runs/list-comparisons.ts";
import { answersFolders } from "../../src/store/answers-store.ts";
import { ComparisonStore } from "../../src/store/comparison-store.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { compareIn, makeData, noOptions, StandInEngine, writeAnswers } from "../helpers/compare-stand-in.ts";
import { addAttempt, addSweep } from "../helpers/made-runs.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock("../../src/report/charts/draw-charts.ts", () => import("../helpers/sweep-stand-ins.ts"));

describe("cliprpn compare A B", () => {
  test("labels of both are prefixed, others are not; the other runs folder is not changed", async () => {
    const work = withData();
    addRuns(work, "runs", "ours", ["film", "token"]);
    addRuns(work, "other", "theirs", ["film"]);
    const engine = new StandInEngine();
    const { comparison, close } = await openSweeps(
      ["ours", join(work, "other/sweeps/theirs")],
      "val",
      undefined,
      contextIn(work),
    );
    await runComparison(comparison, engine, contextIn(work));
    close();
    expect(comparison.models.map(({ label }) => label)).toEqual(["ours/film", "token", "theirs/film"]);
    expect(engine.calls.map(({ method }) => method)).toEqual(["summarize"]);
    expect(existsSync(join(work, "other/comparisons"))).toBe(false);
  });

  test("no model of another runs folder is run: a split without stored predictions is refused", async () => {
    const work = withData();
    addRuns(work, "runs", "ours", ["film"]);
    addRuns(work, "other", "theirs", ["film"]);
    const engine = new StandInEngine();
    const texts = ["ours", join(work, "other/sweeps/theirs")];
    const { comparison } = await openSweeps(texts, "testA", undefined, contextIn(work));
    await expect(runComparison(comparison, engine, contextIn(work))).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringMatching(/predictions of theirs\/film \(seed 0\) on mine:testA/),
    });
    expect(engine.calls).toEqual([]);
  });

  test("another dataset is refused with the numbers that differ, and the same sweep twice", async () => {
    const work = withData();
    const splits = [{ split: "val" as const, num_images: 1, num_refs: 1, num_sentences: 7 }];
    makeData(work, { id: "another", name: "another", splits });
    addRuns(work, "runs", "ours", ["film"]);
    addRuns(work, "other", "theirs", ["film"], "another");
    const theirs = join(work, "other/sweeps/theirs");
    const run = contextIn(work);
    await expect(openSweeps(["ours", theirs], "val", undefined, run)).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(
        /the dataset \(mine and another\).*val \(40 expressions and 7 expressions\)/,
      ),
    });
    await expect(openSweeps(["ours", "ours"], "val", undefined, run)).rejects.toThrow(/the same twice/);
    await expect(openSweeps(["ours", "none"], "val", undefined, run)).rejects.toMatchObject({
      code: "not_found",
    });
    writeAnswers(work, "a.jsonl");
    await expect(openSweeps(["ours", "a.jsonl"], "val", undefined, run)).rejects.toThrow(
      /--results NAME=FILE/,
    );
  });
});

test("report SWEEP --results: all configurations by the sweep's rules, in a comparison of its name", async () => {
  const work = withData();
  addRuns(work, "runs", "fusion", ["film", "token"]);
  writeAnswers(work, "qwen.jsonl");
  const run = contextIn(work);
  const store = new SweepStore(run.runsDir, "fusion");
  const request = readComparisonOptions({ ...noOptions, results: ["qwen=qwen.jsonl"] }, work);
  const comparison = await withSweep(store, "testA", request, run);
  expect(comparison.models.map(({ label }) => label)).toEqual(["film", "token", "qwen"]);
  const engine = new StandInEngine();
  const { file } = await runComparison(comparison, engine, run);
  expect(file).toBe("runs/comparisons/fusion/REPORT.md");
  expect(engine.of("evaluate")).toHaveLength(2);
  const again = readComparisonOptions({ ...noOptions, results: ["film=qwen.jsonl"] }, work);
  await expect(withSweep(store, "testA", again, run)).rejects.toThrow(/two of the name film/);
});

describe("the runs folder", () => {
  test("list shows comparisons that are complete, and damaged ones", async () => {
    const work = withData();
    writeAnswers(work, "a.jsonl");
    await compareIn(work, { data: ["mine"], results: ["a=a.jsonl"], name: "good" });
    await compareIn(work, { data: ["mine"], results: ["a=a.jsonl"], name: "bad" });
    writeFileSync(join(work, "runs/comparisons/bad/comparison.json"), "{");
    mkdirSync(join(work, "runs/comparisons/refused"));
    const listed = new Map(listComparisons(join(work, "runs")).map((each) => [each.name, each]));
    expect([...listed.keys()].sort()).toEqual(["bad", "good"]);
    expect(listed.get("good")).toMatchObject({ models: ["a"], data: ["mine:val"], problem: null });
    expect(listed.get("bad")?.problem).toContain("comparison.json");
  });

  test("gc removes converted answers that no comparison has, a day later", async () => {
    const work = withData();
    writeAnswers(work, "a.jsonl", "b.jsonl");
    await compareIn(work, { data: ["mine"], results: ["a=a.jsonl"], name: "kept" });
    await compareIn(work, { data: ["mine"], results: ["b=b.jsonl"], name: "gone" });
    const request = gcIn(work);
    rmSync(join(work, "runs/comparisons/gone"), { recursive: true });
    expect(planGarbage(request).removals).toEqual([]);
    const [removal, ...others] = age(work) ? planGarbage(request).removals : [];
    expect([removal?.reason, others]).toEqual(["answers", []]);
    await collectGarbage(request);
    expect(existsSync(removal?.path ?? "")).toBe(false);
    const engine = new StandInEngine();
    await compareIn(work, { data: ["mine"], results: ["a=a.jsonl"], name: "kept", engine });
    expect(engine.of("read_answers")).toEqual([]);
  });

  test("gc keeps all answers while a comparison runs, or cannot be read", async () => {
    const work = withData();
    writeAnswers(work, "a.jsonl");
    await compareIn(work, { data: ["mine"], results: ["a=a.jsonl"], name: "one" });
    const store = new ComparisonStore(join(work, "runs"), "one");
    writeFileSync(join(store.folder, "comparison.json"), "{");
    age(work);
    expect(planGarbage(gcIn(work))).toMatchObject({
      removals: [],
      problems: [expect.stringContaining("comparison.json")],
    });
    rmSync(join(store.folder, "comparison.json"));
    const lock = await store.lockReport({ command: "cliprpn compare", onLost: () => undefined });
    expect(planGarbage(gcIn(work)).removals).toEqual([]);
    await lock.release();
    expect(planGarbage(gcIn(work)).removals.map(({ reason }) => reason)).toEqual(["answers"]);
  });
});

function gcIn(work: string): Parameters<typeof planGarbage>[0] {
  return {
    runsDir: join(work, "runs"),
    cache: join(work, "cache"),
    options: {
      resumable: false,
      oldCode: false,
      unasked: false,
      lastModels: false,
      jointData: false,
      logsOlderThanDays: 30,
    },
    command: "cliprpn gc",
    signal: new AbortController().signal,
  };
}

/** Makes all converted answers two days old. */
function age(work: string): boolean {
  const then = new Date(Date.now() - 2 * 24 * 3600 * 1000);
  for (const { folder } of answersFolders(join(work, "runs"))) utimesSync(folder, then, then);
  return true;
}

function addRuns(work: string, runs: string, name: string, labels: string[], data = "mine"): void {
  const id = data === "mine" ? "made" : data;
  const specs = labels.map((label) => ({
    ...madeSpec(label, 0),
    dataset: { id, name: data, root: join(work, "data", data), split_by: "own" as const },
  }));
  for (const spec of specs) addAttempt(join(work, runs), spec);
  addSweep(join(work, runs), name, specs);
}

function withData(): string {
  const work = tempFolder();
  makeData(work);
  return work;
}
