/** Sweeps over a shared folder, with real pilots whose trials end as their labels say. */
import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { killAll, messagesOf, onFirstEvent, states, testPromises } from "../contract/launcher-promises.ts";
import { fakeSpec } from "../helpers/fake-spec.ts";
import { fakeSweep } from "../helpers/fake-sweep.ts";
import { queueIn, queueKind } from "../helpers/launcher-kinds.ts";
import { LocalPilots } from "../helpers/local-pilots.ts";
import { type MarkedProcesses, markProcesses, until, untilNone } from "../helpers/processes.ts";
import { type RunningController, startController } from "../helpers/start-controller.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

testPromises(queueKind);

test("a frozen worker loses its trial; woken, it takes nothing more, and what it wrote does not count", async () => {
  const sweep = fakeSweep(["frozen_once", "good", "good"], {
    kind: queueKind,
    leaseMs: 4000,
    numSlots: 2,
  });
  await sweep.run();
  expect(states(sweep)).toEqual(["completed", "completed", "completed"]);
  expect(sweep.store(0).attempts()).toEqual([1, 2]);
  for (const pid of pidsOf(sweep.processes)) process.kill(pid, "SIGCONT");
  await untilNone(sweep.processes);
  const [spec] = sweep.trials;
  expect(sweep.store(0).accepted()).toMatchObject([{ attempt: 2 }]);
  if (spec !== undefined) expect(sweep.store(0).accept(1, spec.sources_sha256)).toBe(2);
  expect(messagesOf(sweep, 0).filter(({ type }) => type === "ended")).toHaveLength(2);
  await sweep.close();
});

test.each([
  "SIGTERM",
  "SIGUSR1",
] as const)("a worker hands its trial back after %s, which counts as no failure", async (signal) => {
  const sweep = fakeSweep(["slow_once", "good"], { kind: queueKind });
  onFirstEvent(sweep, 0, () => killAll(sweep, signal));
  await sweep.run();
  expect(states(sweep)).toEqual(["completed", "completed"]);
  expect(messagesOf(sweep, 0).filter(({ type }) => type === "ended")).toMatchObject([
    { end: { how: "preempted", reason: signal } },
    { end: { how: "outcome" } },
  ]);
  expect(sweep.watcher.lines).not.toContain("again slow_once");
  await sweep.close();
});

test("after SIGKILL of the process that runs the sweep, workers go on, and the same sweep again repeats nothing", async () => {
  const { runs, processes, labels } = sharedSweep(["good", "gated", "good", "good"]);
  const controller = startQueue(runs, labels);
  await startPilot(runs, processes);
  await until(() => controller.lines.includes("started gated"));
  // A kill between the creation of an attempt and its submission costs a number.
  await until(() => new QueueFolder(queueIn(runs)).waiting().length > 0);
  controller.process.kill("SIGKILL");
  await controller.exited;
  const again = startQueue(runs, labels);
  await until(() => again.lines.includes("started gated"));
  writeFileSync(join(runs, "go"), "");
  await again.exited;
  expect(attemptsOf(runs, labels)).toEqual([[1], [1], [1], [1]]);
  expect(acceptedOf(runs, labels)).toEqual([[1], [1], [1], [1]]);
  await untilNone(processes);
});

test("after SIGKILL of the process that prepares, the next one follows the preparation, and trials wait for its end", async () => {
  const { runs, processes, labels } = sharedSweep(["good", "good"]);
  const controller = startQueue(runs, labels, "gated");
  await startPilot(runs, processes);
  await until(() => controller.lines.includes("preparing 1"));
  controller.process.kill("SIGKILL");
  await controller.exited;
  const again = startQueue(runs, labels, "gated");
  await until(() => again.lines.includes("preparing 1"));
  writeFileSync(join(runs, "go"), "");
  await again.exited;
  expect(again.lines.slice(0, 3)).toEqual(["preparing 1", "prepared 1 completed", "started good"]);
  expect(new SweepStore(runs, "test").preparations.numbers()).toEqual([1]);
  expect(attemptsOf(runs, labels)).toEqual([[1], [1]]);
  await untilNone(processes);
});

test("a frozen worker loses the preparation, which another one makes before any trial", async () => {
  const sweep = fakeSweep(["good"], {
    kind: queueKind,
    leaseMs: 4000,
    numSlots: 2,
    preparing: "frozen_once",
  });
  await sweep.run();
  expect(sweep.watcher.lines.slice(0, 5)).toEqual([
    ...["preparing", "preparation retried", "preparing", "preparation completed"],
    "started good",
  ]);
  for (const pid of pidsOf(sweep.processes)) process.kill(pid, "SIGCONT");
  await untilNone(sweep.processes);
  await sweep.close();
});

test("workers get ready while one of them prepares, and wait for it", async () => {
  const sweep = fakeSweep(["good", "good"], { kind: queueKind, numSlots: 2, preparing: "gated" });
  let numReady = 0;
  sweep.onTold = (told) => {
    if (told.type === "worker" && told.state === "ready") numReady += 1;
    if (numReady === 2) writeFileSync(join(sweep.folder, "go"), "");
  };
  await sweep.run();
  expect(sweep.watcher.lines.slice(0, 3)).toEqual(["preparing", "preparation completed", "started good"]);
  expect(sweep.sweepStore.preparations.numbers()).toEqual([1]);
  expect(states(sweep)).toEqual(["completed", "completed"]);
  await sweep.close();
});

test("a worker hands a preparation back after SIGTERM, which counts as no failure", async () => {
  const sweep = fakeSweep(["good"], { kind: queueKind, preparing: "slow_once" });
  sweep.onPreparationEvent = () => killAll(sweep, "SIGTERM");
  await sweep.run();
  expect(sweep.entries).toContainEqual(
    expect.objectContaining({
      type: "preparation_finished",
      state: "retried",
      error: { code: "interrupted", message: "its worker was taken away: SIGTERM" },
    }),
  );
  expect(states(sweep)).toEqual(["completed"]);
  await sweep.close();
});

test("of two processes that run a sweep, the first one stops, and the other repeats nothing", async () => {
  const { runs, processes, labels } = sharedSweep(["gated", "good", "good", "good"]);
  const first = startQueue(runs, labels);
  await startPilot(runs, processes);
  await until(() => first.lines.includes("started gated"));
  const second = startQueue(runs, labels);
  await until(() => first.lines.includes("fault locked"));
  writeFileSync(join(runs, "go"), "");
  await Promise.all([first.exited, second.exited]);
  expect(acceptedOf(runs, labels).map((attempts) => attempts.length)).toEqual([1, 1, 1, 1]);
  expect(second.lines.filter((line) => line.startsWith("fault"))).toEqual([]);
  await untilNone(processes);
});

test.each([
  ["other_code", /install the same version of cliprpn on all machines/],
  ["package_missing", /no_such_package/],
])("a worker with %s refuses to work and says why; no trial fails", async (hello, message) => {
  const sweep = fakeSweep(["good"], { kind: queueKind, hello });
  sweep.onTold = (told) => {
    if (told.type === "capacity" && message.test(told.reason ?? "")) sweep.controller.abort();
  };
  await sweep.run();
  expect(messagesOf(sweep, 0)).toEqual([]);
  expect(sweep.store(0).attempts()).toEqual([]);
  await sweep.close();
});

test("a worker leaves when the queue was empty for a while", async () => {
  const { runs, processes, labels } = sharedSweep(["gated"]);
  startQueue(runs, labels);
  // The trial is queued up to a second after a pilot is ready.
  const [one, other] = [await startPilot(runs, processes, 3), await startPilot(runs, processes, 3)];
  await until(() => one.exitCode !== null || other.exitCode !== null);
  expect([one.exitCode, other.exitCode].filter((code) => code !== null)).toEqual([0]);
  expect(readdirSync(join(queueIn(runs), "pilots"))).toHaveLength(1);
});

function sharedSweep(labels: string[]): { runs: string; processes: MarkedProcesses; labels: string[] } {
  return { runs: tempFolder(), processes: markProcesses(), labels };
}

/** Numbers of the attempts at each trial. */
function attemptsOf(runs: string, labels: string[]): number[][] {
  return labels.map((_, index) => storeOf(runs, index).attempts());
}

/** Numbers of the attempts that count, of each trial. */
function acceptedOf(runs: string, labels: string[]): number[][] {
  return labels.map((_, index) =>
    storeOf(runs, index)
      .accepted()
      .map(({ attempt }) => attempt),
  );
}

function storeOf(runs: string, index: number): TrialStore {
  return new TrialStore(runs, fakeSpec("", index, runs).trial_id);
}

/** Starts a pilot once the sweep has a queue. */
async function startPilot(runs: string, { env }: MarkedProcesses, idleS = 60): Promise<ChildProcess> {
  const folder = queueIn(runs);
  await until(() => existsSync(join(folder, "queue.json")));
  return new LocalPilots({ folder, numPilots: 1, env, logFile: join(runs, "pilots.log"), idleS }).start();
}

/** Runs trials in a process of its own: see test/helpers/queue-controller.ts. */
function startQueue(runs: string, labels: string[], preparing?: string): RunningController {
  const env = preparing === undefined ? {} : { PREPARING: preparing };
  return startController("test/helpers/queue-controller.ts", [runs, ...labels], env);
}

function pidsOf({ running }: MarkedProcesses): number[] {
  return running().map((line) => Number.parseInt(line, 10));
}
