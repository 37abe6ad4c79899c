import { describe, expect, test } from "vitest";
import type { KeepModels } from "../../src/contract/generated/types.ts";
import { describeModels, type ModelRequest, runningBytes } from "../../src/sweep/estimate/model-space.ts";

function request(keep_models: KeepModels, changes: Partial<ModelRequest> = {}): ModelRequest {
  return { keep_models, checkpoints: [40e6, 40e6, 10e6], numSlots: 1, runsDir: "/runs", ...changes };
}

describe("before a sweep", () => {
  test.each([
    ["all", "180 MB"],
    ["best", "90.0 MB"],
  ] as const)("the disk space of models is said: keep_models %s needs %s", (keep_models, size) => {
    const text = describeModels(request(keep_models));
    expect(text).toContain(`3 trials, about ${size} in /runs`);
  });

  test("it is said that no model is kept, and nothing if no trial has one", () => {
    expect(describeModels(request("none"))).toContain("none is kept");
    expect(describeModels(request("all", { checkpoints: [] }))).toBeUndefined();
  });

  test.each([
    // A checkpoint of four models each, which is written next to the one that it replaces.
    [1, 8 * 40e6],
    [2, 8 * 80e6],
    [9, 8 * 90e6],
  ])("checkpoints of %d running trials need %d bytes", (numSlots, bytes) => {
    expect(runningBytes(request("all", { numSlots }))).toBe(bytes);
  });
});
