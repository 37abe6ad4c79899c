import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planSweep } from "../../src/experiment/plan.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { countSteps } from "../helpers/count-steps.ts";
import { errorOf } from "../helpers/error-of.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { head, planContext } from "../helpers/written-experiment.ts";

function write(experiment: object): { file: string; folder: string } {
  const folder = tempFolder();
  const file = join(folder, "many.json");
  writeFileSync(file, JSON.stringify({ ...head, ...experiment }, null, 2));
  return { file, folder };
}

const rates = (num: number): number[] => Array.from({ length: num }, (_, index) => (index + 1) / 1e5);

test.each<[string, (num: number) => object]>([
  ["vary", (num) => ({ vary: { "training.learning_rate": rates(num) }, seeds: [0, 1] })],
  [
    "also",
    (num) => ({ also: rates(num).map((rate) => ({ "training.learning_rate": rate })), seeds: [0, 1] }),
  ],
  [
    "vary of baselines",
    (num) => ({
      vary: { "baseline.detector": ["gt_boxes", "whole_image"], "baseline.score_thresh": rates(num) },
    }),
  ],
])("twice as many configurations in %s need twice the work to check and plan", (_, experiment) => {
  const work = (num: number): number => {
    const { file, folder } = write(experiment(num));
    let num_trials = 0;
    const steps = countSteps(() => {
      num_trials = planSweep(readExperiment(file, [], folder), planContext).trials.length;
    });
    expect(num_trials).toBeGreaterThan(num);
    return steps;
  };
  const few = work(300);
  expect(few).toBeGreaterThan(3000);
  expect(work(600) / few).toBeLessThan(2.1);
});

test("twice as many problems need twice the work, and each is reported at its line", () => {
  const work = (num: number): number => {
    const { file, folder } = write({ also: rates(num).map((rate) => ({ "training.learning_rate": -rate })) });
    const isWrong = (line: string): boolean => line.includes('"training.learning_rate": -');
    const lines = [...readFileSync(file, "utf8").split("\n").entries()].filter(([, line]) => isWrong(line));
    let message = "";
    const steps = countSteps(() => {
      message = errorOf(() => readExperiment(file, [], folder)).message;
    });
    const places = message
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split("  ")[0]);
    const expected = lines.map(([index, line]) => `${file}:${index + 1}:${line.indexOf("-") + 1}`);
    expect(places).toEqual(expected);
    expect(places).toHaveLength(num);
    return steps;
  };
  const few = work(300);
  expect(few).toBeGreaterThan(3000);
  expect(work(600) / few).toBeLessThan(2.1);
});
