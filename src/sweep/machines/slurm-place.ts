import { createHash } from "node:crypto";
import { join } from "node:path";
import { counted } from "../../base/format.ts";
import type { SlurmOptions, TrialSpec } from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import type { LocalEngineOptions } from "../../engine/local/local-engine.ts";
import { QueueFolder } from "../../engine/queue/queue-folder.ts";
import { QueueLauncher } from "../../engine/queue/queue-launcher.ts";
import { batchScript, defaultParallelism, type PilotJob, usesGpus } from "../../engine/slurm/batch-script.ts";
import { Slurm } from "../../engine/slurm/slurm.ts";
import { SlurmPilots } from "../../engine/slurm/slurm-pilots.ts";
import { isReadyToRun } from "../../environment/is-ready.ts";
import { neededExtras } from "../../experiment/detectors.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { engineOptions } from "../open-engine.ts";
import type { RunContext } from "../run-context.ts";
import { pilotProcess } from "./pilot-process.ts";
import type { Place } from "./place.ts";
import { queueOptions } from "./queue-options.ts";
import { pathThere } from "./roots.ts";

/** The jobs of a SLURM cluster. No Python runs on this machine meanwhile. */
export async function onSlurm(
  waiting: readonly TrialSpec[],
  engine: Engine,
  store: SweepStore,
  run: RunContext,
): Promise<Place> {
  const options = slurmOptions(run);
  const slots = slurmSlots(waiting, run);
  const job = pilotJob(await engineOptions(run, waiting), waiting, store, run);
  await engine.rest?.();
  const where = options.partition === undefined ? "" : `, partition ${options.partition}`;
  return {
    slots,
    description: `on ${deviceOf(run)} of SLURM jobs${where}, at most ${counted(slots.length, "job")} at the same time`,
    isElsewhere: true,
    calls: {
      call: (...args) => engine.call(...args).finally(() => engine.rest?.()),
    },
    launch: ({ tell }) => {
      const queue = new QueueFolder(store.queueFolder);
      const mayHaveJobs = queue.isOpen && queue.jobName() !== undefined;
      queue.setJobName(job.name);
      return new QueueLauncher({
        ...queueOptions(waiting, store, run),
        maxAttempts: 2 * slots.length, // A worker has its next attempt before it has ended one.
        tell,
        pilots: new SlurmPilots({ slurm: new Slurm(job.name, run.env), job, options, mayHaveJobs }),
      });
    },
  };
}

/** Has SLURM check the options. @throws CliprpnError bad_input with SLURM's words; environment_broken without SLURM. */
export async function checkSlurm(store: SweepStore, run: RunContext): Promise<void> {
  const job = { name: jobName(store), logFolder: "/tmp", command: ["true"], env: {}, numThreads: null };
  await new Slurm(job.name, run.env).check(batchScript(job, slurmOptions(run), 1));
}

/** Prints the script that the sweep would submit first. */
export async function tellScript(
  waiting: readonly TrialSpec[],
  store: SweepStore,
  run: RunContext,
): Promise<void> {
  if (!isReadyToRun(run, neededExtras(waiting))) {
    run.terminal.info(
      "The script of the jobs is not shown, since packages of Python are missing here; run `cliprpn setup`",
    );
    return;
  }
  const job = pilotJob(await engineOptions(run, waiting), waiting, store, run);
  const script = batchScript(job, slurmOptions(run), slurmSlots(waiting, run).length);
  run.terminal.result(`\nThe script for sbatch:\n\n${script}`);
}

/** The device of each job. */
export function slurmSlots(waiting: readonly TrialSpec[], run: RunContext): string[] {
  const { array_parallelism = defaultParallelism } = slurmOptions(run);
  const number = Math.max(1, Math.min(array_parallelism, waiting.length));
  return Array.from({ length: number }, () => `${deviceOf(run)} of a SLURM job`);
}

function pilotJob(
  ofWorker: LocalEngineOptions,
  waiting: readonly TrialSpec[],
  store: SweepStore,
  run: RunContext,
): PilotJob {
  return {
    name: jobName(store),
    logFolder: pathThere(join(store.queueFolder, "logs"), run.roots),
    ...pilotProcess(ofWorker, deviceOf(run), store, run, run.slurm?.node_cache_dir),
    numThreads: waiting[0]?.num_threads ?? null,
  };
}

/** The name of all jobs of a sweep, by which they are found again; no other runs folder has it. */
function jobName({ name, queueFolder }: Pick<SweepStore, "name" | "queueFolder">): string {
  return `cliprpn-${name}-${createHash("sha256").update(queueFolder).digest("hex").slice(0, 8)}`;
}

/** The options, with the largest number of jobs; --workers comes before array_parallelism. */
function slurmOptions({ slurm = {}, numWorkers }: RunContext): SlurmOptions {
  return numWorkers === undefined ? slurm : { ...slurm, array_parallelism: numWorkers };
}

/** The device of a job: SLURM shows it no GPU but its own. */
export function deviceOf({ jobDevice, slurm = {} }: RunContext): string {
  return jobDevice ?? (usesGpus(slurm) ? "cuda" : "cpu");
}
