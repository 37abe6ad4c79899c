import { expect, test } from "vitest";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import { checkCudaGraphs } from "../../src/sweep/prepare/prepare-trials.ts";
import { plan } from "../helpers/written-experiment.ts";

function trialsOn(device: string, settings: object): TrialSpec[] {
  return plan({ settings }, { device }).trials;
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
