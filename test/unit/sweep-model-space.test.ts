import { describe, expect, test } from "vitest";
import type { KeepModels } from "../../src/contract/generated/types.ts";
import { checkModelSpace, describeModels, type ModelRequest } from "../../src/sweep/model-space.ts";

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
    // And for a checkpoint of four models each, which is written next to the one that it replaces.
    ["all", 1, 180e6 + 8 * 40e6],
    ["all", 2, 180e6 + 8 * 80e6],
    ["best", 1, 90e6 + 8 * 40e6],
    ["none", 1, 8 * 40e6],
  ] as const)("the disk must have space for them: %s with %d at once needs %d bytes", async (keep_models, numSlots, needed) => {
    const models = request(keep_models, { numSlots });
    await checkModelSpace(models, async () => needed);
    await expect(checkModelSpace(models, async () => needed - 1)).rejects.toMatchObject({
      code: "no_space",
      message: expect.stringContaining("/runs"),
    });
  });

  test("a sweep that trains nothing needs no space", async () => {
    await checkModelSpace(request("all", { checkpoints: [] }), async () => 0);
  });
});
