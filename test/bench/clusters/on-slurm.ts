/** SLURM's side of this benchmark: cliprpn's pilots and submitit's jobs, on the same cluster. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Slurm } from "../../../src/engine/slurm/slurm.ts";
import { SlurmPilots } from "../../../src/engine/slurm/slurm-pilots.ts";
import { packageRoot } from "../../../src/package-root.ts";
import type { Cluster } from "../../clusters/slurm/start-cluster.ts";
import { startsIn } from "../runners/ends.ts";
import type { Tool } from "./measured-trials.ts";
import { pilotsTool } from "./pilots-tool.ts";

const jobName = "cliprpn-bench";

/** @param starters programs that start the worker. */
export function slurmPilots(
  python: string,
  numWorkers: number,
  cluster: Cluster,
  starters: string[] = [],
): Tool {
  return pilotsTool({
    name: "pilots on SLURM",
    python,
    numWorkers,
    pilots: ({ command, env }, folder) =>
      new SlurmPilots({
        slurm: new Slurm(jobName, cluster.env),
        options: { timeout_min: 30, partition: "low", array_parallelism: numWorkers },
        job: {
          name: jobName,
          logFolder: join(folder, "logs"),
          command: [...starters, ...command],
          env,
          numThreads: 1,
        },
      }),
  });
}

/** Kills the job of the trial that waits for it, as the memory limit of a job does. */
export function killJob({ run }: Cluster, folder: string): void {
  run("scancel", "--signal=KILL", "--batch", readFileSync(join(folder, "job"), "utf8"));
}

/** @param python of the environment with submitit. */
export function submitit(python: string, numWorkers: number, cluster: Cluster): Tool {
  return {
    name: "submitit",
    run: async (numTrials, kind, folder) => {
      await runSubmitit([python, String(numTrials), String(numWorkers), kind, folder], cluster);
    },
  };
}

/** @returns whether submitit, or SLURM for it, runs a trial again whose job was killed. */
export async function doesSubmititRunAgain(
  python: string,
  cluster: Cluster,
  folder: string,
): Promise<boolean> {
  const job = await runSubmitit([python, "1", "1", "killed", folder], cluster);
  while (startsIn(folder).length === 0) await sleep(50);
  cluster.run("scancel", "--signal=KILL", "--full", job);
  while (cluster.run("squeue", "--noheader", "--states=RUNNING,PENDING,COMPLETING", `--jobs=${job}`) !== "")
    await sleep(200);
  return (
    startsIn(folder).length > 1 || readdirSync(join(folder, "jobs")).some((name) => /_0_result/.test(name))
  );
}

async function runSubmitit([python = "", ...args]: string[], { env }: Cluster): Promise<string> {
  const script = join(packageRoot, "test/bench/clusters/submitit_trials.py");
  const { stdout } = await execa(python, [script, ...args], {
    env: { ...env, PYTHONPATH: join(packageRoot, "test/bench/runners"), OMP_NUM_THREADS: "1" },
    extendEnv: false,
    stdin: "ignore",
  });
  return stdout.trim();
}
