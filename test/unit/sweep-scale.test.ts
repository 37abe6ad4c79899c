/** Sweeps on a simulated cluster, with the real controller and store; `npm run bench -- --only scale` runs large ones. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { simulateSweep } from "../bench/scale/simulate-sweep.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** No power failure is simulated. */
beforeAll(() => {
  for (const name of ["fsyncSync", "fdatasyncSync"] as const)
    vi.spyOn(fs, name).mockImplementation(() => undefined);
  syncBuiltinESMExports();
});
afterAll(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

test.each([
  0, 30,
])("with lost, frozen and preempted workers and files seen %i s later, each trial ends once and counts at most once", async (visibility_s) => {
  const made = await simulateSweep({ runsDir: tempFolder(), num_trials: 200, num_slots: 40, visibility_s });
  expect(made.num_completed + made.num_failed).toBe(200);
  const { crashes, preempted, freezes, dies_after_outcome } = made.by_fate;
  for (const num of [crashes, preempted, freezes, dies_after_outcome]) expect(num).toBeGreaterThan(0);
  expect(made.num_attempts).toBe(Object.values(made.by_fate).reduce((sum, num) => sum + num, 0));
  if (visibility_s > 0) expect(made.num_surplus).toBeGreaterThan(0);
});
