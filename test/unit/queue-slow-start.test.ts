import { expect, test } from "vitest";
import { PilotPool } from "../../src/engine/queue/pilot-pool.ts";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { slowWorker } from "../../src/engine/queue/slow-start.ts";
import { WorkerChanges } from "../../src/engine/queue/worker-states.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("a worker that was not ready in time is told once, with its node and what that looks like", () => {
  const slow = slowWorker({ id: "slurm:7_0", node: "n1" }, 660_000);
  const pool = new PilotPool(new QueueFolder(tempFolder()), 60_000, {
    want: () => undefined,
    givenUp: () => [slow],
    close: async () => undefined,
  });
  const changes = new WorkerChanges();
  expect(changes.next(pool.workers(new Map()))).toEqual([
    {
      worker: "n1 (slurm:7_0)",
      node: "n1",
      state: "refused",
      reason: expect.stringMatching(/not ready after 11 min.*file system that does not answer.*doctor/),
    },
  ]);
  expect(changes.next(pool.workers(new Map()))).toEqual([]);
});
