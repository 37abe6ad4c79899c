import { join } from "node:path";
import type { SlurmOptions } from "../../../src/contract/generated/types.ts";
import { Slurm } from "../../../src/engine/slurm/slurm.ts";
import { SlurmPilots } from "../../../src/engine/slurm/slurm-pilots.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { type LauncherKind, launchQueue, queueIn, queueKind } from "../../helpers/launcher-kinds.ts";
import { faultsFolder, testPython } from "../../helpers/python.ts";

/** The launcher of `--engine slurm`, on a cluster for tests; one name of jobs for each runs folder. */
export function slurmKind(
  env: NodeJS.ProcessEnv,
  { options = {}, starters = [] }: { options?: SlurmOptions; starters?: string[] } = {},
): LauncherKind {
  return {
    ...queueKind,
    name: "on jobs of SLURM",
    launch: (setup, launchOptions) => {
      const { runsDir, env: marked } = setup;
      const folder = queueIn(runsDir);
      const job = {
        name: jobName(runsDir),
        logFolder: join(folder, "logs"),
        // Programs that start the worker, then the worker.
        command: [...starters, testPython(), "-m", "worker_faults", "--queue", folder, "--device", "cpu"],
        env: { PYTHONPATH: `${packageRoot}/python:${faultsFolder}` },
        numThreads: 1,
      };
      const pilots = new SlurmPilots({
        slurm: new Slurm(job.name, { ...env, ...marked }),
        options: { timeout_min: 10, array_parallelism: launchOptions.slots.length, ...options },
        squeueMs: 300,
        job,
      });
      return launchQueue(setup, launchOptions, pilots);
    },
  };
}

function jobName(runsDir: string): string {
  return `cliprpn-${runsDir.replaceAll(/[^\w]/g, "-")}`;
}
