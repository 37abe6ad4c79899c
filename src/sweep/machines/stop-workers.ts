import { counted } from "../../base/format.ts";
import { QueueFolder } from "../../engine/queue/queue-folder.ts";
import { Slurm } from "../../engine/slurm/slurm.ts";
import type { SweepStore } from "../../store/sweep-store.ts";

/**
 * Ends the workers of a sweep that no process runs: it left them, or was killed.
 *
 * @returns what was ended, for people; undefined if the sweep has none.
 * @throws CliprpnError environment_broken if SLURM does not answer.
 */
export async function stopWorkers(store: SweepStore, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const queue = new QueueFolder(store.queueFolder);
  if (!queue.isOpen) return undefined;
  queue.stop();
  // Otherwise the next workers would run these beside the attempts of the next start.
  for (const entry of queue.waiting()) if (queue.withdraw(entry)) queue.remove(entry, "");
  const jobName = queue.jobName();
  const slurm = jobName === undefined ? undefined : new Slurm(jobName, env);
  const numJobs = (await slurm?.list())?.length ?? 0;
  if (numJobs === 0) return "its workers end after the trials that they run";
  await slurm?.cancelAll();
  return `${counted(numJobs, "job")} of SLURM canceled; running trials write a checkpoint if they can`;
}
