/**
 * A short `npm run torture` on workers that join, and on jobs of SLURM, by `npm run test:clusters -- --slow`; `-- --engine slurm --kills N`
 * of `npm run torture` for more.
 */
import { expect, test } from "vitest";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { engines, type TortureEngine } from "../torture/engines/engines.ts";
import { torture } from "../torture/torture.ts";
import { missingSlurm } from "./slurm/start-cluster.ts";

/** The same seed in all runs, so that what failed can be repeated. */
const rows: [name: TortureEngine, isMissing: boolean, seed: number][] = [
  ["queue", false, 2307],
  ["slurm", missingSlurm !== undefined, 2307],
];

/** A sweep that hangs ends the test; one on a busy machine takes minutes. */
const limitMs = 900_000;
const isSlow = process.env.CLIPRPN_TEST_SLOW === "1";

for (const [name, isMissing, seed] of rows)
  test.skipIf(isMissing || !isSlow)(
    `on ${name}, after kills of its processes a sweep ends with the results of one that was left alone`,
    async () => {
      const engine = await engines[name]();
      try {
        const { counts } = await torture({
          kills: 3,
          seed,
          folder: tempFolder(),
          python: testPython(),
          engine,
          size: { numWorkers: 1, numSeeds: 1 },
          say: () => undefined,
        });
        expect(counts.differences).toEqual([]);
        expect(counts.numKills).toBeGreaterThanOrEqual(3);
        expect(counts.numSweeps).toBeGreaterThan(0);
      } finally {
        await engine.stop?.();
      }
    },
    limitMs,
  );
