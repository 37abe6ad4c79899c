import { quoteForShell } from "../../base/format.ts";
import type { SlurmOptions } from "../../contract/generated/types.ts";

/** What a job runs, and what SLURM needs to know about it besides the options. */
export interface PilotJob {
  /** Letters, digits, dots, dashes. */
  name: string;
  /** Folder for what the jobs print; absolute. */
  logFolder: string;
  /** The worker: program and arguments. */
  command: readonly string[];
  /** Variables of its environment. */
  env: Readonly<Record<string, string>>;
  /** CPU threads of a trial; null if it does not matter. */
  numThreads: number | null;
}

/** The script of an array of jobs, each of which is one worker. */
export function batchScript(job: PilotJob, options: SlurmOptions, numJobs: number): string {
  return [
    "#!/bin/bash",
    ...sbatchOptions(job, options, numJobs).map((option) => `#SBATCH ${option}`),
    "",
    ...(options.setup ?? []),
    ...Object.entries(job.env).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    // The current folder is the user's, with modules of any name, and `python -m` would import these.
    `cd ${quoteForShell(job.logFolder)} || exit`,
    // SLURM's signals go to this shell, so the worker takes its place.
    `exec ${job.command.map(quoteForShell).join(" ")} --label "${label}"`,
    "",
  ].join("\n");
}

/** Identifies the job of a worker; `parseLabel` reads it. */
const label =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: for the shell
  "slurm:${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}.${SLURM_RESTART_COUNT:-0}@${SLURMD_NODENAME}";

function sbatchOptions(job: PilotJob, options: SlurmOptions, numJobs: number): string[] {
  const limits = jobLimits(options);
  const further = Object.entries(options.additional_parameters ?? {});
  const has = (...names: string[]): boolean => further.some(([name]) => names.includes(longName(name)));
  const cpus = options.cpus_per_task ?? job.numThreads;
  return [
    `--job-name=${job.name}`,
    `--array=0-${numJobs - 1}`,
    `--output=${quoted(`${job.logFolder.replaceAll("%", "%%")}/%A_%a.log`)}`,
    "--open-mode=append",
    "--requeue",
    `--signal=B:USR1@${limits.signalDelayS}`,
    `--time=${limits.timeoutMin}`,
    ...(["partition", "account", "qos", "constraint"] as const).flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [`--${name}=${quoted(value)}`];
    }),
    ...(usesGpus(options) && !has("gres", "gpus", "gpus-per-task") ? ["--gpus-per-node=1"] : []),
    ...(cpus === null ? [] : [`--cpus-per-task=${cpus}`]),
    ...(options.mem_gb === undefined ? [] : [`--mem=${options.mem_gb}G`]),
    ...further.flatMap(([name, value]) => {
      if (value === false || value === undefined) return [];
      return [value === true ? `--${longName(name)}` : `--${longName(name)}=${quoted(String(value))}`];
    }),
  ];
}

/** The time limit of a job, and when it is told about it. */
export function jobLimits({ timeout_min = 60, signal_delay_s }: SlurmOptions): {
  timeoutMin: number;
  signalDelayS: number;
} {
  return {
    timeoutMin: timeout_min,
    signalDelayS: signal_delay_s ?? Math.min(120, Math.floor((60 * timeout_min) / 4)),
  };
}

/** Jobs at the same time. */
export const defaultParallelism = 16;

/** Whether each job has a GPU. */
export function usesGpus({ gpus_per_node = 1 }: SlurmOptions): boolean {
  return gpus_per_node > 0;
}

/** In the words of submitit, `mem_per_cpu` is `--mem-per-cpu`. */
function longName(name: string): string {
  return name.replaceAll("_", "-");
}

/** A value in a line of options, as sbatch reads it. */
function quoted(value: string): string {
  return /^[\w./:=,@%+-]+$/.test(value) ? value : `"${value.replaceAll(/[\\"]/g, "\\$&")}"`;
}
