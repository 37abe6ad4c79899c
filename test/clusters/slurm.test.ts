/** Sweeps on the jobs of a real SLURM: two nodes on this machine, whose trials end as their labels say. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SlurmOptions } from "../../src/contract/generated/types.ts";
import type { AttemptEnd, Told } from "../../src/engine/launcher.ts";
import { QueueLauncher } from "../../src/engine/queue/queue-launcher.ts";
import { Slurm } from "../../src/engine/slurm/slurm.ts";
import { SlurmPilots } from "../../src/engine/slurm/slurm-pilots.ts";
import { packageRoot } from "../../src/package-root.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type FakeSweep, fakeSweep } from "../helpers/fake-sweep.ts";
import { until, untilNone } from "../helpers/processes.ts";
import { faultsFolder, testPython } from "../helpers/python.ts";
import { cluster, missingSlurm } from "./slurm/cluster.ts";

if (missingSlurm !== undefined) process.stdout.write(`Skipped: tests on SLURM: ${missingSlurm}\n`);

describe.skipIf(missingSlurm !== undefined)("SLURM", () => {
  const { env, run } = cluster();

  interface Changes {
    leaseMs?: number;
    /** Programs that start the worker. */
    starters?: string[];
  }

  interface SlurmSweep extends FakeSweep {
    told: Told[];
    /** How the attempts of a trial ended, by its number. */
    ends(trial: number): AttemptEnd["how"][];
    /** The job that runs the attempt which started last. */
    jobOf(trial: number): string;
  }

  function slurmSweep(labels: string[], options: SlurmOptions = {}, changes: Changes = {}): SlurmSweep {
    const told: Told[] = [];
    const { leaseMs = 60_000, starters = [] } = changes;
    const name = `cliprpn-test-${Math.random().toString(36).slice(2, 8)}`;
    onTestFinished(() => void run("scancel", `--name=${name}`));
    const sweep = fakeSweep(labels, {
      launch: ({ tell }, { folder, processes }) => {
        const queue = join(folder, "sweeps/test/queue");
        return new QueueLauncher({
          folder: queue,
          runsDir: folder,
          numThreads: 1,
          maxAttempts: 100,
          graceMs: 1000,
          leaseMs,
          pilots: new SlurmPilots({
            slurm: new Slurm(name, { ...env, ...processes.env }),
            options: { gpus_per_node: 1, timeout_min: 10, ...options },
            squeueMs: 300,
            job: {
              name,
              logFolder: join(queue, "logs"),
              command: [
                ...starters,
                testPython(),
                "-m",
                "worker_faults",
                "--queue",
                queue,
                "--device",
                "cpu",
              ],
              env: { PYTHONPATH: `${packageRoot}/python:${faultsFolder}` },
              numThreads: 1,
            },
          }),
          tell: (each) => {
            told.push(each);
            tell(each);
          },
        });
      },
    });
    const idOf = (trial: number): string | undefined => sweep.trials[trial]?.trial_id;
    return Object.assign(sweep, {
      told,
      ends: (trial: number) =>
        told.flatMap((each) =>
          each.type === "ended" && each.attempt.spec.trial_id === idOf(trial) ? [each.end.how] : [],
        ),
      jobOf: (trial: number) => {
        const started = told.findLast(
          (each) => each.type === "started" && each.attempt.spec.trial_id === idOf(trial),
        );
        const worker = started?.type === "started" ? started.worker : undefined;
        return /(\d+_\d+)/.exec(worker?.replace(/.*slurm/, "") ?? "")?.[1] ?? "";
      },
    });
  }

  const workersOf = ({ told }: SlurmSweep): string[] =>
    told.flatMap((each) => (each.type === "started" ? [each.worker ?? ""] : []));

  const attemptsOf = ({ folder, trials }: SlurmSweep): number[] =>
    trials.map(({ trial_id }) => new TrialStore(folder, trial_id).attempts().length);

  const hasStarted = ({ told }: SlurmSweep, label: string): boolean =>
    told.some((each) => each.type === "event" && each.attempt.spec.label === label);

  async function close(sweep: SlurmSweep): Promise<void> {
    await sweep.engine.close();
    await untilNone(sweep.processes);
    expect(run("squeue", "--noheader", "--states=RUNNING,PENDING")).toBe("");
  }

  test("trials run on warm workers of both nodes, each once, with a GPU of its own", async () => {
    const sweep = slurmSweep(["meet", "meet", ...Array.from({ length: 10 }, () => "good")], {
      array_parallelism: 4,
    });
    await sweep.run();
    const workers = workersOf(sweep);
    expect(sweep.watcher.outcomes.size).toBe(12);
    expect(attemptsOf(sweep)).toEqual(sweep.trials.map(() => 1));
    expect(new Set(workers).size).toBeLessThanOrEqual(4);
    expect(workers.join()).toMatch(/@n1/);
    expect(workers.join()).toMatch(/@n2/);
    await close(sweep);
  });

  test.each([
    ["on this machine, is seen at once", []],
    // Its process id says nothing here, as on another machine: SLURM's queue does.
    ["elsewhere, is seen in SLURM's queue", ["unshare", "--fork", "--pid", "--kill-child=KILL"]],
  ])("a worker that is killed %s; that counts, and its trial runs again", async (_, starters) => {
    const sweep = slurmSweep(["slow_once", "good", "good"], { array_parallelism: 2 }, { starters });
    const done = sweep.run();
    await until(() => hasStarted(sweep, "slow_once") && sweep.watcher.outcomes.size === 2);
    const killed = performance.now();
    run("scancel", "--signal=KILL", "--batch", sweep.jobOf(0));
    await done;
    expect(sweep.ends(0)).toEqual(["error", "outcome"]);
    process.stdout.write(
      `a killed worker's trial had run again ${Math.round(performance.now() - killed)} ms later\n`,
    );
    await close(sweep);
  });

  test("a preempted trial goes back to the queue without a count, and runs again elsewhere", async () => {
    const sweep = slurmSweep(["slow_once"], { partition: "low" });
    const done = sweep.run();
    await until(() => hasStarted(sweep, "slow_once"));
    const node = /@(n\d)/.exec(workersOf(sweep)[0] ?? "")?.[1] ?? "";
    const rival = run(
      "sbatch",
      "--parsable",
      "-p",
      "high",
      `--nodelist=${node}`,
      "--exclusive",
      "--wrap",
      "sleep 600",
    );
    await done;
    run("scancel", rival);
    expect(sweep.ends(0)).toEqual(["preempted", "outcome"]);
    expect(sweep.watcher.lines).not.toContain("again slow_once");
    await close(sweep);
  });

  test("a frozen worker is lost by its heartbeat; woken, its outcome does not count", async () => {
    const sweep = slurmSweep(["slow_once", "good"], { array_parallelism: 1 }, { leaseMs: 2000 });
    const done = sweep.run();
    await until(() => hasStarted(sweep, "slow_once"));
    run("scancel", "--signal=STOP", "--full", sweep.jobOf(0));
    await done;
    expect(sweep.ends(0)).toEqual(["error", "outcome"]);
    expect(sweep.watcher.outcomes.size).toBe(2);
    const trial = new TrialStore(sweep.folder, sweep.trials[0]?.trial_id ?? "");
    expect(trial.accepted().map(({ attempt }) => attempt)).toEqual([2]);
    expect(existsSync(join(trial.attempt(1).folder, "outcome.json"))).toBe(false);
    await close(sweep);
  });

  test("a canceled sweep stops one that listens and one that is deaf, and leaves no job", async () => {
    const sweep = slurmSweep(["slow", "deaf", "good"], { array_parallelism: 2 });
    const done = sweep.run();
    await until(() => hasStarted(sweep, "slow") && hasStarted(sweep, "deaf"));
    sweep.controller.abort();
    await done;
    expect([sweep.ends(0), sweep.ends(1)]).toEqual([["canceled"], ["canceled"]]);
    expect(sweep.watcher.outcomes.size).toBe(0);
    await close(sweep);
  });

  test("a refused submission ends the sweep with SLURM's words", async () => {
    const sweep = slurmSweep(["good"], { partition: "nowhere" });
    await expect(sweep.run()).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/invalid partition specified: nowhere/),
    });
    await close(sweep);
  });

  test("jobs without a worker end the sweep with what they printed", async () => {
    const sweep = slurmSweep(["good"], { setup: ["echo the module is broken >&2; exit 1"] });
    await expect(sweep.run()).rejects.toMatchObject({
      code: "environment_broken",
      message: expect.stringMatching(/4 jobs .* the module is broken/),
    });
    await close(sweep);
  });
});
