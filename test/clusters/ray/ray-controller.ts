/** Runs trials on actors of Ray until it is killed: `ray-controller.ts ADDRESS RUNS LABEL...`; `env` of its workers is its own. */
import { launchQueue } from "../../helpers/launcher-kinds.ts";
import { runController } from "../../helpers/run-controller.ts";
import { rayPilots } from "./ray-kind.ts";

const [address = "", runsDir = "", ...labels] = process.argv.slice(2);
const env = { CLIPRPN_TEST_MARK: process.env.CLIPRPN_TEST_MARK ?? "" };
await runController(runsDir, labels, (options) =>
  launchQueue(
    { runsDir, graceMs: 500, leaseMs: 60_000 },
    options,
    rayPilots({ address, runsDir, env, maxWorkers: 2 }),
  ),
);
