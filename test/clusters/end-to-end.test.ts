/** A small copy of experiments/fusion.json on each cluster. Takes minutes: `npm run test:clusters -- --slow`. */
import { test } from "vitest";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { runEndToEnd } from "./end-to-end/end-to-end.ts";
import { sites, smallFusion } from "./end-to-end/sites.ts";
import { missingSlurm } from "./slurm/start-cluster.ts";

test.skipIf(missingSlurm !== undefined || process.env.CLIPRPN_TEST_SLOW !== "1")(
  "on SLURM, with a pilot killed, one frozen, one preempted and the command killed, a sweep has the results of this machine",
  async () => {
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    await runEndToEnd({
      folder: tempFolder(),
      experiment: smallFusion,
      python: testPython(),
      site: sites.slurm,
      say,
    });
  },
  1_200_000,
);
