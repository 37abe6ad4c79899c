/** cliprpn's queue, with pilots from a cluster, as a tool of this benchmark. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { codeHashes } from "../../../src/contract/code-identity.ts";
import type { PilotSource } from "../../../src/engine/queue/pilot-source.ts";
import { QueueLauncher } from "../../../src/engine/queue/queue-launcher.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { madeSpec } from "../../helpers/report-input.ts";
import { planOf, runToCompletion, storedSweep } from "../journaled.ts";
import type { Tool } from "./measured-trials.ts";

/** What a worker is started with on a node. */
export interface NoOpWorker {
  command: string[];
  env: Record<string, string>;
  /** `queue/` of the sweep. */
  queue: string;
}

export interface PilotsToolOptions {
  name: string;
  /** Of cliprpn's environment. */
  python: string;
  numWorkers: number;
  /** Where pilots come from; `folder` is for logs. */
  pilots(worker: NoOpWorker, folder: string): PilotSource;
}

/** Trials as in a sweep: claimed, stored, queued, accepted, with each event synced to the journal. */
export function pilotsTool({ name, python, numWorkers, pilots }: PilotsToolOptions): Tool {
  return {
    name,
    run: async (numTrials, kind, folder) => {
      const made = madeSpec(kind, 0);
      const trials = Array.from({ length: numTrials }, (_, seed) => ({
        ...madeSpec(kind === "killed" && seed > 0 ? "none" : kind, seed),
        dataset: { ...made.dataset, root: folder },
        num_threads: 1,
        sources_sha256: codeHashes().cliprpn,
      }));
      const plan = planOf(trials);
      const store = storedSweep(join(folder, "runs"), plan);
      const queue = store.queueFolder;
      mkdirSync(join(folder, "logs"));
      const worker = {
        command: [python, "-m", "bench.clusters.no_op_worker", "--queue", queue, "--device", "cpu"],
        env: {
          PYTHONPATH: `${packageRoot}/python:${packageRoot}/test`,
          PYTHONUTF8: "1",
          BENCH_ENDS: folder,
        },
        queue,
      };
      await runToCompletion(
        {
          launch: ({ tell }) =>
            new QueueLauncher({
              folder: queue,
              runsDir: store.runsDir,
              numThreads: 1,
              maxAttempts: 2 * numWorkers,
              tell,
              graceMs: 5000,
              pilots: pilots(worker, folder),
            }),
        },
        store,
        plan,
        numWorkers,
        kind === "killed" ? () => undefined : undefined,
      );
    },
  };
}
