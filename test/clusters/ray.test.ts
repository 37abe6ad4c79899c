/** Sweeps on the actors of a real Ray: nodes on this machine, whose trials end as their labels say. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RayOptions } from "../../src/contract/generated/types.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { messagesOf, onFirstEvent, states, testPromises } from "../contract/launcher-promises.ts";
import { fakeSpec } from "../helpers/fake-spec.ts";
import { type FakeSweep, type FakeSweepOptions, fakeSweep } from "../helpers/fake-sweep.ts";
import { markProcesses, until, untilNone } from "../helpers/processes.ts";
import { startController } from "../helpers/start-controller.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { endsOf, hasStarted, startsOf } from "./attempts.ts";
import { cluster } from "./ray/cluster.ts";
import { type RayKindOptions, rayKind } from "./ray/ray-kind.ts";
import type { RayNode } from "./ray/ray-node.ts";
import { missingRay } from "./ray/ray-python.ts";

/** For tests of minutes: `npm run test:clusters -- --slow`. */
const slowTest = test.skipIf(process.env.CLIPRPN_TEST_SLOW !== "1");

if (missingRay !== undefined) process.stdout.write(`Skipped: tests on Ray: ${missingRay}\n`);

describe.skipIf(missingRay !== undefined)("Ray", () => {
  const ray = cluster([{ numCpus: 2 }, { numCpus: 2 }]);
  const address = (): string => ray().address;

  testPromises(rayKind(address));

  function raySweep(
    labels: string[],
    options: RayOptions = {},
    { starters, ...changes }: FakeSweepOptions & RayKindOptions = {},
  ): FakeSweep {
    const kind = rayKind(address, { options, ...(starters === undefined ? {} : { starters }) });
    return fakeSweep(labels, { kind, numSlots: 4, ...changes });
  }

  test("trials run on warm workers of both nodes, each once", async () => {
    // Each worker needs a whole node.
    const sweep = raySweep(["meet", "meet", ...Array.from({ length: 10 }, () => "good")], { num_cpus: 2 });
    await sweep.run();
    const workers = startsOf(sweep);
    expect(new Set(states(sweep))).toEqual(new Set(["completed"]));
    expect(sweep.trials.map((_, trial) => sweep.store(trial).attempts())).toEqual(
      sweep.trials.map(() => [1]),
    );
    expect(new Set(workers.map((worker) => /ray:[\w.]+/.exec(worker)?.[0])).size).toBe(2);
    expect([/@n1/, /@n2/].map((node) => node.test(workers.join()))).toEqual([true, true]);
    await sweep.close();
  });

  test.each([
    ["on this machine", []],
    ["elsewhere", elsewhere],
  ])("the trial of a killed actor %s runs again; that counts", async (_, starters) => {
    const sweep = raySweep(["slow_once", "good", "good"], { max_workers: 2 }, { starters });
    const done = sweep.run();
    await until(() => hasStarted(sweep, 0) && sweep.watcher.outcomes.size === 2);
    const killedAt = performance.now();
    process.kill(actorOf(sweep, 0), "SIGKILL");
    await done;
    expect(endsOf(sweep, 0)).toEqual(["error", "outcome"]);
    const ms = Math.round(performance.now() - killedAt);
    process.stdout.write(`The trial of the killed actor had run again after ${ms} ms\n`);
    await sweep.close();
  });

  slowTest("the trial of a node that is lost runs again on another one", async () => {
    const lost = await ray().addNode({ name: "lost", numCpus: 3 });
    const sweep = raySweep(["slow_once"], { num_cpus: 3 }, { starters: elsewhere });
    const done = sweep.run();
    await until(() => hasStarted(sweep, 0));
    const killedAt = performance.now();
    await lost.kill();
    await until(() => endsOf(sweep, 0).length === 1);
    const ms = Math.round(performance.now() - killedAt);
    process.stdout.write(`The loss of the node was noticed after ${ms} ms\n`);
    const spare = await ray().addNode({ name: "spare", numCpus: 3 });
    await done;
    expect(endsOf(sweep, 0)).toEqual(["error", "outcome"]);
    expect(startsOf(sweep).map((worker) => /@(\w+)/.exec(worker)?.[1])).toEqual(["lost", "spare"]);
    await sweep.close();
    await spare.remove();
  });

  const drains: [how: string, isSlow: boolean, drain: (node: RayNode) => Promise<void>][] = [
    ["is drained", false, (node) => ray().drain(node)],
    // `ray start --block` of Ray 2.60 drains its node, as where Kubernetes ends a pod.
    ["gets SIGTERM", true, (node) => node.remove()],
  ];
  for (const [how, isSlow, drain] of drains)
    (isSlow ? slowTest : test)(
      `the trial of a node that ${how} goes back without a count, and runs again on another one`,
      async () => {
        const name = isSlow ? "ending" : "drained";
        const node = await ray().addNode({ name, numCpus: 3 });
        const sweep = raySweep(["slow_once"], { num_cpus: 3 }, { starters: elsewhere });
        const done = sweep.run();
        await until(() => hasStarted(sweep, 0));
        const drained = drain(node);
        await until(() => endsOf(sweep, 0).length === 1);
        const spare = await ray().addNode({ name: `after-${name}`, numCpus: 3 });
        await done;
        expect(
          messagesOf(sweep, 0).flatMap((each) => (each.type === "ended" ? [each.end] : [])),
        ).toMatchObject([{ how: "preempted", reason: "SIGTERM" }, { how: "outcome" }]);
        expect(sweep.watcher.lines).not.toContain("again slow_once");
        expect(startsOf(sweep).map((worker) => /@([\w-]+)/.exec(worker)?.[1])).toEqual([
          name,
          `after-${name}`,
        ]);
        expect(reasonsOf(sweep).join()).toContain(`without ${name}, which the cluster drains`);
        await drained;
        await sweep.close();
        await Promise.all([node.close(), spare.close()]);
      },
    );

  test("a node that does not see the folder is left out by name, and the others run all trials", async () => {
    const sweep = raySweep(
      Array.from({ length: 8 }, () => "gated"),
      {},
      { numSlots: 6 },
    );
    const blind = await ray().addNode({ name: "blind", numCpus: 2, hidden: sweep.folder });
    const done = sweep.run();
    await until(() => reasonsOf(sweep).join().includes("without blind"));
    writeFileSync(join(sweep.folder, "go"), "");
    await done;
    expect(new Set(states(sweep))).toEqual(new Set(["completed"]));
    expect(startsOf(sweep).join()).not.toMatch(/@blind/);
    expect(reasonsOf(sweep).join()).toMatch(/without blind, where the shared folder is missing/);
    await sweep.close();
    await blind.remove();
  });

  slowTest("the sweep ends if no node sees the folder", async () => {
    const sweep = raySweep(["good"], { num_cpus: 3 });
    const blind = await ray().addNode({ name: "dark", hidden: sweep.folder, numCpus: 3 });
    await expect(sweep.run()).rejects.toMatchObject({
      code: "environment_broken",
      message: expect.stringMatching(/expected nodes that see .*, found none: dark do/),
    });
    await sweep.close();
    await blind.remove();
  });

  slowTest(
    "a frozen node loses its trial by its heartbeat; woken, it takes nothing more, and its outcome does not count",
    async () => {
      const frozen = await ray().addNode({ name: "frozen", numCpus: 3 });
      const sweep = raySweep(["slow_once", "good"], { num_cpus: 3 }, { leaseMs: 2000, starters: elsewhere });
      const done = sweep.run();
      await until(() => hasStarted(sweep, 0));
      frozen.freeze();
      const spare = await ray().addNode({ name: "spare2", numCpus: 3 });
      await done;
      frozen.thaw();
      expect(endsOf(sweep, 0)).toEqual(["error", "outcome"]);
      expect(sweep.store(0).accepted()).toMatchObject([{ attempt: 2 }]);
      await sweep.close();
      await Promise.all([frozen.remove(), spare.remove()]);
    },
  );

  test("each worker has a GPU of its own", async () => {
    const gpus = await ray().addNode({ name: "gpus", numCpus: 2, numGpus: 2 });
    const sweep = raySweep(["meet", "meet"], { num_gpus: 1 });
    const seen = new Set<string | undefined>();
    for (const trial of [0, 1])
      onFirstEvent(sweep, trial, () => {
        for (const pid of sweep.workers()) seen.add(variable(pid, "CUDA_VISIBLE_DEVICES"));
      });
    await sweep.run();
    expect([...seen].sort()).toEqual(["0", "1"]);
    await sweep.close();
    await gpus.remove();
  });

  test("a killed driver takes its workers along; another one runs their trials, which counts as no failure", async () => {
    const sweep = raySweep(["slow_once", "good"]);
    onFirstEvent(sweep, 0, () => process.kill(driverOf(sweep), "SIGKILL"));
    await sweep.run();
    expect(endsOf(sweep, 0)).toEqual(["preempted", "outcome"]);
    expect(sweep.watcher.lines).not.toContain("again slow_once");
    await sweep.close();
  });

  test("after SIGKILL of the process that runs the sweep, no worker is left, and the same sweep again repeats nothing that ended", async () => {
    const runs = tempFolder();
    const processes = markProcesses();
    const labels = ["good", "gated", "good", "good"];
    const args = [address(), runs, ...labels];
    const killed = startController("test/clusters/ray/ray-controller.ts", args, processes.env);
    await until(() => killed.lines.filter((line) => line === "ended good completed").length === 3);
    killed.process.kill("SIGKILL");
    await killed.exited;
    await untilNone(processes);
    writeFileSync(join(runs, "go"), "");
    const again = startController("test/clusters/ray/ray-controller.ts", args, processes.env);
    await again.exited;
    expect(again.lines.filter((line) => !line.startsWith("found"))).toEqual([
      // The attempt of the killed process, which is no fault of the trial.
      "started gated",
      "ended gated undefined",
      "started gated",
      "ended gated completed",
    ]);
    const stores = labels.map((_, index) => new TrialStore(runs, fakeSpec("", index, runs).trial_id));
    expect(stores.map((store) => store.accepted().map(({ attempt }) => attempt))).toEqual([
      [1],
      [2],
      [1],
      [1],
    ]);
    await untilNone(processes);
  });
});

/** Starts a worker whose process id says nothing here, as on another machine. */
const elsewhere = ["unshare", "--fork", "--pid", "--kill-child=KILL"];

/** Why there were not more workers, as people saw it. */
function reasonsOf({ told }: FakeSweep): string[] {
  return told.flatMap((each) => (each.type === "capacity" ? [each.reason ?? ""] : []));
}

function variable(pid: number, name: string): string | undefined {
  const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return variables.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The process that talks to the cluster. */
function driverOf({ processes }: FakeSweep): number {
  return Number.parseInt(processes.running().find((line) => line.includes("cliprpn_ray")) ?? "", 10);
}

/** The process of the actor that runs the newest attempt of a trial. */
function actorOf(sweep: FakeSweep, trial: number): number {
  const started = messagesOf(sweep, trial).findLast(({ type }) => type === "started");
  const id = /ray:([\w.]+)@/.exec(started?.type === "started" ? (started.worker ?? "") : "")?.[1];
  const pids = sweep.processes.running().map((line) => Number.parseInt(line, 10));
  const pilot = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`ray:${id}@`));
  if (pilot === undefined)
    throw new Error(`no worker of ${id} among ${sweep.processes.running().join("\n")}`);
  const status = readFileSync(`/proc/${pilot}/status`, "utf8");
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
}
