/** `cliprpn sweep --engine slurm` as people run it, with real trials. Takes minutes: `npm run test:clusters -- --slow`. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { startCli } from "../helpers/cli-process.ts";
import { until } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { cluster } from "./slurm/cluster.ts";
import { missingSlurm } from "./slurm/start-cluster.ts";

const isSkipped = missingSlurm !== undefined || process.env.CLIPRPN_TEST_SLOW !== "1";

describe.skipIf(isSkipped)("sweep --engine slurm", () => {
  const { env, run } = cluster();

  /** Starts a command in a folder with an experiment. */
  function start(folder: string, ...args: string[]): ReturnType<typeof startCli> {
    const file = join(folder, "exp.json");
    if (!existsSync(file)) writeFileSync(file, JSON.stringify(experiment));
    writeFileSync(join(folder, "argparse.py"), "raise SystemExit(1)"); // Workers must not import it.
    // Tests run with PYTHONPATH, which people do not set.
    const surroundings = { ...env, CLIPRPN_CACHE: join(folder, "cache"), PYTHONPATH: undefined };
    return startCli([...args, "--python", testPython()], folder, surroundings);
  }

  const sweep = ["sweep", "exp.json", "--device", "cpu"];

  test("killed and run again, it repeats nothing, and its figures are those of this machine", async () => {
    const folder = tempFolder();
    const killed = start(folder, ...sweep, "--engine", "slurm");
    await killed.prints(/epoch 1\/2/);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const again = start(folder, ...sweep, "--engine", "slurm");
    expect([await again.ended, again.err()]).toEqual([0, expect.stringMatching(/SLURM jobs/)]);
    const here = start(folder, ...sweep, "--runs-dir", "here");
    expect(await here.ended).toBe(0);
    const results = resultsIn(join(folder, "runs"));
    expect(results.map(({ attempts }) => attempts)).toEqual([[1], [1], [1], [1]]);
    expect(results).toEqual(resultsIn(join(folder, "here")));
    expect(run("squeue", "--noheader")).toBe("");
  });

  test("detached, its jobs go on alone; the report counts their results", async () => {
    const folder = tempFolder();
    const detached = start(folder, ...sweep, "--engine", "slurm", "--detach");
    expect([await detached.ended, detached.err()]).toEqual([0, expect.stringMatching(/Left 4 trials/)]);
    const store = new SweepStore(join(folder, "runs"), "made");
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

const experiment = {
  name: "made",
  question: "Does it run on SLURM?",
  dataset: { size: "small" },
  settings: { training: { num_epochs: 2 } },
  vary: { fusion: ["film", "concatenation"] },
  seeds: [0, 1],
  engine: { slurm: { partition: "low", timeout_min: 10, array_parallelism: 2 } },
};

function resultsIn(runsDir: string): { trial_id: string; attempts: number[]; metrics: unknown }[] {
  const { trials } = new SweepStore(runsDir, "made").read();
  return trials.map(({ spec: { trial_id } }) => {
    const trial = new TrialStore(runsDir, trial_id);
    const outcome = trial.outcome(1);
    const metrics = outcome?.state === "completed" ? outcome.metrics : outcome;
    return { trial_id, attempts: trial.attempts(), metrics };
  });
}
