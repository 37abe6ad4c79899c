import { join } from "node:path";
import type { SlurmOptions } from "../../../src/contract/generated/types.ts";
import { QueueLauncher } from "../../../src/engine/queue/queue-launcher.ts";
import { Slurm } from "../../../src/engine/slurm/slurm.ts";
import { SlurmPilots } from "../../../src/engine/slurm/slurm-pilots.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { type LauncherKind, queueIn, queueKind } from "../../helpers/launcher-kinds.ts";
import { faultsFolder, testPython } from "../../helpers/python.ts";

/** The launcher of `--engine slurm`, on a cluster for tests; one name of jobs for each runs folder. */
export function slurmKind(
  env: NodeJS.ProcessEnv,
  { options = {}, starters = [] }: { options?: SlurmOptions; starters?: string[] } = {},
): LauncherKind {
  return {
    ...queueKind,
    name: "on jobs of SLURM",
    launch: ({ runsDir, env: marked, graceMs, trialTimeoutMs, leaseMs }, { slots, tell }) => {
      const folder = queueIn(runsDir);
      const job = {
        name: jobName(runsDir),
        logFolder: join(folder, "logs"),
        // Programs that start the worker, then the worker.
        command: [...starters, testPython(), "-m", "worker_faults", "--queue", folder, "--device", "cpu"],
        env: { PYTHONPATH: `${packageRoot}/python:${faultsFolder}` },
        numThreads: 1,
      };
      return new QueueLauncher({
        folder,
        runsDir,
        numThreads: null,
        maxAttempts: 2 * slots.length,
        tell,
        graceMs,
        ...(trialTimeoutMs === undefined ? {} : { trialTimeoutMs }),
        leaseMs,
        pilots: new SlurmPilots({
          slurm: new Slurm(job.name, { ...env, ...marked }),
          options: { timeout_min: 10, array_parallelism: slots.length, ...options },
          squeueMs: 300,
          job,
        }),
      });
    },
  };
}

function jobName(runsDir: string): string {
  return `cliprpn-${runsDir.replaceAll(/[^\w]/g, "-")}`;
}
