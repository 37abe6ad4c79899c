import { counted } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import { QueueFolder } from "../engine/queue/queue-folder.ts";
import { Slurm } from "../engine/slurm/slurm.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { jobName } from "./slurm-place.ts";

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
  const slurm = new Slurm(jobName(store), env);
  const jobs = await slurm.list().catch(noneWithoutSlurm);
  if (jobs.length === 0) return "its workers end after the trials that they run";
  await slurm.cancelAll();
  return `${counted(jobs.length, "job")} of SLURM canceled; running trials wrote a checkpoint, unless they had just started`;
}

function noneWithoutSlurm(error: unknown): [] {
  if (error instanceof CliprpnError && /--engine slurm: expected the command/.test(error.message)) return [];
  throw error;
}
