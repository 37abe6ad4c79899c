import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SlurmOptions } from "../../../src/contract/generated/types.ts";
import { parseLabel } from "../../../src/engine/slurm/squeue.ts";
import { type Cluster, missingSlurm, newCluster } from "../slurm/start-cluster.ts";
import { findVictim, freezePilot, killPilot } from "./queue-victim.ts";
import type { RunningSweep } from "./running-sweep.ts";
import { controllerKilled, type Site } from "./site.ts";

/**
 * The jobs of a SLURM of two nodes, one job on each.
 *
 * @param folder the current folder of the command.
 * @throws Error if SLURM is not installed.
 */
export async function slurmSite(folder: string): Promise<Site> {
  if (missingSlurm !== undefined) throw new Error(missingSlurm);
  const cluster = newCluster();
  cluster.start();
  mkdirSync(join(folder, "engines"), { recursive: true });
  writeFileSync(join(folder, "engines/lab.json"), JSON.stringify({ slurm: options }));
  return {
    args: ["--engine", "slurm", "--device", "cpu", "--lease-seconds", "10"],
    env: cluster.env,
    disturbances: [
      { what: "a pilot is killed", happen: killPilot },
      controllerKilled,
      { what: "a pilot is frozen beyond its lease, and woken", happen: freezePilot },
      { what: "a job is preempted", happen: (sweep) => preempt(cluster, sweep) },
    ],
    left: () => cluster.run("squeue", "--noheader"),
    stop: async () => cluster.stop(),
  };
}

/** More than half of the processors of a node, so that each node has one job. */
const options: SlurmOptions = {
  partition: "low",
  timeout_min: 60,
  array_parallelism: 2,
  cpus_per_task: 3,
};

/** Jobs of the other partition take the node of a trial, until the trial has gone back. */
async function preempt({ run }: Cluster, sweep: RunningSweep): Promise<void> {
  const { trial_id, attempt, pilot } = await findVictim(sweep);
  const node = parseLabel(pilot.label)?.node ?? "";
  const rival = run(
    ...(["sbatch", "--parsable", "--partition=high", `--nodelist=${node}`, "--exclusive"] as const),
    ...["--output=/dev/null", "--wrap=sleep 600"],
  );
  try {
    await sweep.untilEnded(trial_id, attempt, "preempted");
  } finally {
    run("scancel", rival);
  }
}
