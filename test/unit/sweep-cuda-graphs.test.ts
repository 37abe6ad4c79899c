import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import { type PlanContext, planSweep } from "../../src/experiment/plan.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { checkCudaGraphs } from "../../src/sweep/prepare/prepare-trials.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

function trialsOn(device: string, settings: object): TrialSpec[] {
  const folder = tempFolder();
  const context: PlanContext = {
    dataset: { id: "data-1", name: "demo", root: "/data", split_by: "umd" },
    backbone: { name: "cliprpn-tiny", weights: "shipped", weights_id: "weights-1" },
    sources_sha256: { cliprpn: "a".repeat(64), baseline: "a".repeat(64) },
    device,
    cache_dir: "/cache",
  };
  writeFileSync(join(folder, "e.json"), JSON.stringify({ name: "e", question: "Is it faster?", settings }));
  return [...planSweep(readExperiment("e.json", [], folder), context).trials];
}

test.each(["cpu", "mps"])("before any work, CUDA graphs are refused on %s", (device) => {
  const trials = trialsOn(device, { training: { cuda_graphs: true } });
  expect(() => checkCudaGraphs(trials)).toThrow(
    new RegExp(`training\\.cuda_graphs: expected a CUDA device, found ${device}`),
  );
  checkCudaGraphs(trialsOn(device, {}));
});

test("with jobs elsewhere, their device counts; workers that join check their own", () => {
  const trials = trialsOn("cpu", { training: { cuda_graphs: true } });
  checkCudaGraphs(trials, "cuda");
  checkCudaGraphs(trials, null);
  const onCuda = trialsOn("cuda:0", { training: { cuda_graphs: true } });
  expect(() => checkCudaGraphs(onCuda, "cpu")).toThrow(/found cpu/);
});

test("on a CUDA device they are not", () => {
  checkCudaGraphs(trialsOn("cuda:1", { training: { cuda_graphs: true } }));
});
