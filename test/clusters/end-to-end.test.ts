/** A small copy of experiments/fusion.json on each cluster. Takes minutes: `npm run test:clusters -- --slow`. */
import { test } from "vitest";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { runEndToEnd } from "./end-to-end/end-to-end.ts";
import { type EngineOfSite, smallFusion } from "./end-to-end/sites.ts";
import { missingRay } from "./ray/ray-python.ts";
import { missingSlurm } from "./slurm/start-cluster.ts";

const rows: [engine: EngineOfSite, missing: string | undefined][] = [
  ["slurm", missingSlurm],
  ["ray", missingRay],
];

for (const [engine, missing] of rows)
  test.skipIf(missing !== undefined || process.env.CLIPRPN_TEST_SLOW !== "1")(
    `on ${engine}, with workers killed, frozen and taken away, and the command killed, a sweep has the results of this machine`,
    async () => {
      const say = (line: string): void => void process.stdout.write(`${line}\n`);
      const folder = tempFolder();
      await runEndToEnd({ folder, experiment: smallFusion, python: testPython(), engine, say });
    },
    1_200_000,
  );
