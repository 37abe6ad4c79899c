import { missingSlurm, newCluster } from "../../clusters/slurm/start-cluster.ts";
import { checkEmptyQueue, freezePilot, isElsewhere } from "./queue-engine.ts";
import type { TorturedEngine } from "./tortured-engine.ts";

/** The jobs of a SLURM of two nodes on this machine. @throws Error if SLURM is not installed. */
export async function slurmEngine(): Promise<TorturedEngine> {
  if (missingSlurm !== undefined) throw new Error(missingSlurm);
  const cluster = newCluster();
  cluster.start();
  const jobs = (): string[] => cluster.run("squeue", "--noheader").split("\n").filter(Boolean);
  return {
    args: ["--engine", "slurm", "--device", "cpu", "--lease-seconds", "8"],
    env: { SLURM_CONF: cluster.env.SLURM_CONF },
    victims: ["cli", "pilot", "pilot", "child", "survivor", "frozen pilot", "canceled job"],
    outlives: (role, code) => code === null && isElsewhere(role),
    disturb: (victim, work, running) => {
      if (victim === "frozen pilot") return freezePilot(work, running);
      return victim === "canceled job" ? Promise.resolve(cancelJob()) : undefined;
    },
    checkEmpty: checkEmptyQueue,
    jobs,
    reset: () => {
      if (jobs().length > 0) cluster.run("scancel", "--user=root");
    },
    stop: async () => cluster.stop(),
  };

  /** As a person or an administrator does it. */
  function cancelJob(): boolean {
    const [job] = cluster.run("squeue", "--noheader", "--states=RUNNING", "--format=%A").split("\n");
    if (job === undefined || job === "") return false;
    cluster.run("scancel", job);
    return true;
  }
}
