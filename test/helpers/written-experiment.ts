import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { ReadExperiment, ReadOptions } from "../../src/experiment/check-experiment.ts";
import { type Plan, type PlanContext, planSweep } from "../../src/experiment/plan.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { errorOf } from "./error-of.ts";
import { tempFolder } from "./temp-folder.ts";

/** What an experiment must have. */
export const head = { name: "a", question: "Which is best?" };

/** The data, weights and device of a plan. */
export const planContext: PlanContext = {
  dataset: { id: "data-1", name: "demo", root: "/data", split_by: "umd" },
  backbone: { name: "cliprpn-tiny", weights: "shipped", weights_id: "weights-1" },
  sources_sha256: { cliprpn: "a".repeat(64), baseline: "a".repeat(64) },
  device: "cpu",
  cache_dir: "/cache",
};

/**
 * Writes an experiment to `e.json`, and reads it.
 *
 * @param experiment a text, or what the experiment has besides its name and question.
 * @param sets as of `--set`.
 * @throws CliprpnError bad_input.
 */
export function read(
  experiment: string | Uint8Array | object,
  sets: string[] = [],
  folder = tempFolder(),
  options: ReadOptions = {},
): ReadExperiment {
  writeFileSync(join(folder, "e.json"), isText(experiment) ? experiment : toText(experiment));
  return readExperiment("e.json", sets, folder, options);
}

/** The plan of an experiment. @param changed what differs from `planContext`. */
export function plan(
  experiment: object,
  changed: Partial<PlanContext> = {},
  folder = tempFolder(),
  sets: string[] = [],
): Plan {
  return planSweep(read(experiment, sets, folder), { ...planContext, ...changed });
}

/** The problems of an experiment: the lines of the message, without the name of the file, and without the last line, which counts them. */
export function problems(
  experiment: string | Uint8Array | object,
  sets: string[] = [],
  folder = tempFolder(),
  options: ReadOptions = {},
): string[] {
  const { message } = errorOf(() => read(experiment, sets, folder, options));
  const lines = message.split("\n");
  expect(lines.pop()).toMatch(`e.json: ${lines.length} problem`);
  return lines.map((line) => line.replace(/^e\.json:/, ""));
}

/** Each key and each item is on a line of its own, as in `4:2  seed: …`. */
function toText(experiment: object): string {
  return JSON.stringify({ ...head, ...experiment }, null, 1);
}

function isText(experiment: string | Uint8Array | object): experiment is string | Uint8Array {
  return typeof experiment === "string" || experiment instanceof Uint8Array;
}

/** From 1 to `count`. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
