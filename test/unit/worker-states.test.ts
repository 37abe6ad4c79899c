import { expect, test } from "vitest";
import type { WorkerNow } from "../../src/contract/generated/types.ts";
import { WorkerChanges } from "../../src/engine/queue/worker-states.ts";
import { workerLines, workerSummary } from "../../src/sweep/view/worker-lines.ts";

function made(name: string, state: WorkerNow["state"], more: Partial<WorkerNow> = {}): WorkerNow {
  return { name, worker: `${name} cpu, pid 7`, node: name, state, ...more };
}

test("a worker that is ready, refuses, ends or is barred is told once, and one that starts is not", () => {
  const changes = new WorkerChanges();
  const told = (...workers: WorkerNow[]): string[] =>
    changes.next(workers).map(({ worker, state, reason }) => [worker, state, reason].join(" ").trim());
  expect(told(made("n1", "starting"), made("n2", "starting"))).toEqual([]);
  expect(told(made("n1", "idle"), made("n2", "refused", { reason: "no torch" }))).toEqual([
    "n1 cpu, pid 7 ready",
    "n2 cpu, pid 7 refused no torch",
  ]);
  expect(told(made("n1", "running"), made("n2", "refused", { reason: "no torch" }))).toEqual([]);
  const silent = made("n1", "barred", { reason: "no sign of life" });
  expect(told(silent, made("n3", "idle"))).toEqual([
    "n1 cpu, pid 7 barred no sign of life",
    "n3 cpu, pid 7 ready",
  ]);
  expect(told(silent)).toEqual(["n3 cpu, pid 7 ended"]);
});

test("the summary counts workers by node, and says why there are not more; the trials of this machine have none", () => {
  const workers = [
    made("a", "running", { node: "n1" }),
    made("b", "idle", { node: "n1" }),
    made("c", "running", { node: "n2" }),
    made("d", "starting", { node: "n3" }),
    made("e", "barred", { node: "n4", reason: "it gave no sign of life for 60 s" }),
  ];
  expect(workerSummary({ workers, missing_workers: "2 jobs in SLURM's queue (Resources)" })).toEqual([
    "3 workers on n1 (2) and n2, 2 busy, 1 starting, 1 barred",
    "2 jobs in SLURM's queue (Resources); barred e cpu, pid 7: it gave no sign of life for 60 s",
  ]);
  expect(workerSummary({ workers: [] })).toEqual(["no worker", "no further worker is waited for"]);
  expect(workerSummary({})).toEqual([]);
});

test("the table of workers has what each does and its heartbeat, within 80 columns", () => {
  const workers = [
    made("a", "running", { trial_id: "0123456789abcdef", silent_ms: 1200 }),
    made("b".repeat(90), "barred", { reason: "it has ended" }),
    made("c", "idle", { silent_ms: 0 }),
  ];
  const lines = workerLines(workers, 80, 2);
  expect(lines[1]).toMatch(/^a cpu, pid 7 +running {3}01234567 +1 s ago$/);
  expect(lines.slice(3)).toEqual(["  it has ended", "and 1 more worker; --json has all"]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});
