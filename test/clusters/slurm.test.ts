/** Sweeps on the jobs of a real SLURM: two nodes on this machine, whose trials end as their labels say. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SlurmOptions } from "../../src/contract/generated/types.ts";
import { checkSlurmNode } from "../../src/sweep/machines/check-slurm-node.ts";
import { nodeRows } from "../../src/sweep/machines/node-rows.ts";
import { messagesOf, states, testPromises } from "../contract/launcher-promises.ts";
import { type FakeSweep, type FakeSweepOptions, fakeSweep } from "../helpers/fake-sweep.ts";
import { until } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { endsOf, hasStarted, startsOf } from "./attempts.ts";
import { onAnotherMachine } from "./slurm/another-machine.ts";
import { cluster } from "./slurm/cluster.ts";
import { slurmKind } from "./slurm/slurm-kind.ts";
import { missingSlurm } from "./slurm/start-cluster.ts";

if (missingSlurm !== undefined) process.stdout.write(`Skipped: tests on SLURM: ${missingSlurm}\n`);

describe.skipIf(missingSlurm !== undefined)("SLURM", () => {
  const { env, run } = cluster();

  testPromises(slurmKind(env));

  function slurmSweep(
    labels: string[],
    options: SlurmOptions = {},
    { starters = [], ...changes }: FakeSweepOptions & { starters?: string[] } = {},
  ): FakeSweep {
    return fakeSweep(labels, { kind: slurmKind(env, { options, starters }), numSlots: 4, ...changes });
  }

  async function close(sweep: FakeSweep): Promise<void> {
    await sweep.close();
    expect(run("squeue", "--noheader", "--states=RUNNING,PENDING")).toBe("");
  }

  test("trials run on warm workers of both nodes, each once", async () => {
    // Each worker needs a whole node.
    const labels = ["meet", "meet", ...Array.from({ length: 10 }, () => "good")];
    const sweep = slurmSweep(labels, { cpus_per_task: 4 });
    await sweep.run();
    const workers = startsOf(sweep);
    expect(new Set(states(sweep))).toEqual(new Set(["completed"]));
    expect(sweep.trials.map((_, trial) => sweep.store(trial).attempts())).toEqual(
      sweep.trials.map(() => [1]),
    );
    expect(new Set(workers).size).toBe(2);
    expect([/@n1/, /@n2/].map((node) => node.test(workers.join()))).toEqual([true, true]);
    await close(sweep);
  });

  test.each([
    ["on this machine, is seen at once", [], /its process has ended|it was killed/],
    ["on another machine, is seen at once, too", onAnotherMachine, /it was killed/],
    // If nothing of it is left to say so, SLURM's queue does.
    ["with all its processes, as a container, is seen", namespace, /its job \d+_\d+ has ended|it was killed/],
  ])("a worker that is killed %s; that counts, and its trial runs again", async (_, starters, reason) => {
    const sweep = slurmSweep(["slow_once", "good", "good"], { array_parallelism: 2 }, { starters });
    const done = sweep.run();
    await until(() => hasStarted(sweep, 0) && sweep.watcher.outcomes.size === 2);
    const killedAt = performance.now();
    run("scancel", "--signal=KILL", "--batch", jobOf(sweep, 0));
    await done;
    expect(endsOf(sweep, 0)).toEqual(["error", "outcome"]);
    expect(messagesOf(sweep, 0).find(({ type }) => type === "ended")).toMatchObject({
      end: { error: { code: "worker_died", message: expect.stringMatching(reason) } },
    });
    const ms = Math.round(performance.now() - killedAt);
    process.stdout.write(`The trial of the killed worker had run again after ${ms} ms\n`);
    await close(sweep);
  });

  test("a preempted trial goes back without a count, and runs again on another node", async () => {
    const sweep = slurmSweep(["slow_once"], { partition: "low" });
    const done = sweep.run();
    await until(() => hasStarted(sweep, 0));
    const node = /@(n\d)/.exec(startsOf(sweep)[0] ?? "")?.[1] ?? "";
    const rival = run(
      ...["sbatch", "--parsable", "--partition=high", `--nodelist=${node}`, "--exclusive"],
      ...["--output=/dev/null", "--wrap=sleep 600"],
    );
    await done;
    run("scancel", rival);
    expect(endsOf(sweep, 0)).toEqual(["preempted", "outcome"]);
    expect(sweep.watcher.lines).not.toContain("again slow_once");
    await close(sweep);
  });

  test("a frozen worker is lost by its heartbeat, and ended; its trial runs again", async () => {
    const sweep = slurmSweep(["slow_once", "good"], { array_parallelism: 1 }, { leaseMs: 2000 });
    const done = sweep.run();
    await until(() => hasStarted(sweep, 0));
    run("scancel", "--signal=STOP", "--full", jobOf(sweep, 0));
    await done;
    expect(endsOf(sweep, 0)).toEqual(["error", "outcome"]);
    expect(states(sweep)).toEqual(["completed", "completed"]);
    expect(
      sweep
        .store(0)
        .accepted()
        .map(({ attempt }) => attempt),
    ).toEqual([2]);
    expect(existsSync(join(sweep.attemptFolder(0), "outcome.json"))).toBe(false);
    await close(sweep);
  });

  test("SLURM's refusal of the jobs ends the sweep in its words", async () => {
    const sweep = slurmSweep(["good"], { partition: "nowhere" });
    await expect(sweep.run()).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/invalid partition specified: nowhere/),
    });
    await close(sweep);
  });

  test("jobs that end without a worker end the sweep with what they printed", async () => {
    const sweep = slurmSweep(["good"], { setup: ["echo the module is broken >&2; exit 1"] });
    await expect(sweep.run()).rejects.toMatchObject({
      code: "environment_broken",
      message: expect.stringMatching(/4 jobs .* the module is broken/),
    });
    await close(sweep);
  });

  test("doctor's job says what a node has, and tests the shared folder with this machine", async () => {
    const context = contextIn(tempFolder());
    const node = await checkSlurmNode(
      { timeout_min: 5, node_cache_dir: tempFolder() },
      { ...context, env: { ...env, ...context.env }, device: "auto", jobDevice: "cpu", python: testPython() },
    );
    expect(nodeRows(node, "slurm").map(({ state, name }) => `${state} ${name.replace(/n\d/, "N")}`)).toEqual([
      "ok node N",
      "ok node N, code",
      "ok node N, features",
      "ok shared folder",
      "ok shared delay",
      "ok shared clock",
    ]);
    expect(readdirSync(context.runsDir)).toEqual([]);
  });

  test.skipIf(process.env.CLIPRPN_TEST_SLOW !== "1")(
    "before its time limit a job hands its trial back, and another job runs it",
    async () => {
      const sweep = slurmSweep(["slow_once"], { timeout_min: 1, signal_delay_s: 45 });
      await sweep.run();
      expect(endsOf(sweep, 0)).toEqual(["preempted", "outcome"]);
      expect(new Set(startsOf(sweep)).size).toBe(2);
      await close(sweep);
    },
  );
});

/** Starts a program whose processes all end with it. */
const namespace = ["unshare", "--fork", "--pid", "--kill-child=KILL"];

/** The job that runs the newest attempt of a trial. */
function jobOf(sweep: FakeSweep, trial: number): string {
  const started = messagesOf(sweep, trial).findLast(({ type }) => type === "started");
  return /slurm:(\d+_\d+)/.exec(started?.type === "started" ? (started.worker ?? "") : "")?.[1] ?? "";
}
