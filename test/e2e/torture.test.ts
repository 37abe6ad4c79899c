/**
 * A short `npm run torture` of a smaller sweep with real workers. With this seed, Python, the Node worker and the CLI are killed in its
 * first run; another one does as well, and takes longer.
 */
import { expect, test } from "vitest";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { engines } from "../torture/engines/engines.ts";
import { torture } from "../torture/torture.ts";

test.runIf(process.platform === "linux")(
  "after kills of its processes a sweep ends with the results of one that was left alone",
  async () => {
    const { counts } = await torture({
      kills: 3,
      seed: 1549,
      folder: tempFolder(),
      python: testPython(),
      engine: await engines.local(),
      size: { numWorkers: 1, numSeeds: 1 },
      say: () => undefined,
    });
    expect(counts.differences).toEqual([]);
    expect(counts.numKills).toBeGreaterThanOrEqual(3);
    expect(counts.numSweeps).toBeGreaterThan(0);
  },
);
