/** `cliprpn sweep --engine slurm` as people run it, with real trials. Takes minutes: `npm run test:clusters -- --slow`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TrialStore } from "../../src/store/trial-store.ts";
import { startCli } from "../helpers/cli-process.ts";
import { until } from "../helpers/processes.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { cluster } from "./slurm/cluster.ts";
import { missingSlurm } from "./slurm/start-cluster.ts";
import { resultsIn, smallSweep, startCommand, storeIn } from "./small-sweep.ts";

const isSkipped = missingSlurm !== undefined || process.env.CLIPRPN_TEST_SLOW !== "1";

describe.skipIf(isSkipped)("sweep --engine slurm", () => {
  const { env, run } = cluster();

  function start(folder: string, ...args: string[]): ReturnType<typeof startCli> {
    return startCommand(
      args,
      folder,
      { slurm: { partition: "low", timeout_min: 10, array_parallelism: 2 } },
      env,
    );
  }

  test("killed and run again, it repeats nothing, and its figures are those of this machine", async () => {
    const folder = tempFolder();
    const killed = start(folder, ...smallSweep, "--engine", "slurm");
    await killed.prints(/epoch 1\/2/);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const again = start(folder, ...smallSweep, "--engine", "slurm");
    expect([await again.ended, again.err()]).toEqual([0, expect.stringMatching(/SLURM jobs/)]);
    const here = start(folder, ...smallSweep, "--runs-dir", "here");
    expect(await here.ended).toBe(0);
    const results = resultsIn(join(folder, "runs"));
    expect(results.map(({ attempts }) => attempts)).toEqual([[1], [1], [1], [1]]);
    expect(results).toEqual(resultsIn(join(folder, "here")));
    expect(storeIn(join(folder, "runs")).preparations.numbers()).toEqual([1]);
    expect(run("squeue", "--noheader")).toBe("");
  });

  test("detached, its jobs go on alone; the report counts their results", async () => {
    const folder = tempFolder();
    const detached = start(folder, ...smallSweep, "--engine", "slurm", "--detach");
    expect([await detached.ended, detached.err()]).toEqual([0, expect.stringMatching(/Left 4 trials/)]);
    const store = storeIn(join(folder, "runs"));
    const isDone = ({ spec }: { spec: { trial_id: string } }): boolean =>
      new TrialStore(store.runsDir, spec.trial_id).outcome(1) !== undefined;
    await until(() => store.read().trials.every(isDone));
    const report = start(folder, "report", "made");
    expect(await report.ended).toBe(0);
    expect(readFileSync(store.reportFile("val"), "utf8")).toMatch(/film/);
    const stop = startCli(["stop", "made"], folder, env);
    await stop.ended;
    await until(() => run("squeue", "--noheader") === "");
  });
});
