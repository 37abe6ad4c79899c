import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluationFolder, SweepStore } from "../../src/store/sweep-store.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("predictions count for the model that made them, not for a retrained one", () => {
  const spec = madeSpec("film", 0);
  const source = { file: "made.json", sets: [] };
  const plan = { name: "made", question: "Which one?", hash: "0", published: [], source, trials: [spec] };
  const store = SweepStore.create(tempFolder(), plan);
  const write = (name: string, seconds: number): void => {
    const file = join(store.trialDir(spec.trial_id), name);
    writeFileSync(file, "");
    utimesSync(file, seconds, seconds);
  };
  expect(store.hasPredictions(spec, "test")).toBe(false);
  write("best.safetensors", 1000);
  write("predictions-test.parquet", 2000);
  expect(store.hasPredictions(spec, "test")).toBe(true);
  expect(store.hasPredictions(spec, "val")).toBe(false);
  write("best.safetensors", 3000);
  expect(store.hasPredictions(spec, "test")).toBe(false);
});

test("predictions on another dataset and of model files have separate folders", () => {
  const trial = tempFolder();
  const file = join(trial, "last.safetensors");
  writeFileSync(file, "");
  expect(evaluationFolder(trial, undefined)).toBe(trial);
  expect(evaluationFolder(trial, "cafe")).toBe(join(trial, "evaluated-best-on-cafe"));
  expect(evaluationFolder(file, undefined)).toBe(join(trial, "evaluated-last"));
});
