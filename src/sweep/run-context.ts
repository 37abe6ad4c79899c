import { accessSync, constants, mkdirSync } from "node:fs";
import type { RayOptions, Roots, SlurmOptions } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import type { LocalEngineOptions } from "../engine/local/local-engine.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { FailureClass, Retries } from "./failure-policy.ts";

/** The environment of a command: everything outside the program that it may use. */
export interface Context {
  terminal: Terminal;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
  /** The command as typed, for reports. */
  commandLine: string;
  /** Starts the engine of a command, `LocalEngine` by default. */
  startEngine?: ((options: LocalEngineOptions) => Engine) | undefined;
}

/** Where the trials of a sweep run: on this machine, on workers that join, on the jobs of a SLURM cluster, or on the actors of a Ray cluster. */
export type EngineName = "local" | "queue" | "slurm" | "ray";

/** Options of the command line for running trials. */
export interface RunContext extends Context {
  /** By default, this machine. */
  engine?: EngineName | undefined;
  /** Options of SLURM, from the experiment and the file of the lab. */
  slurm?: SlurmOptions | undefined;
  /** Options of Ray, from the command line, the experiment and the file of the lab. */
  ray?: RayOptions | undefined;
  /** Folders of this machine, and what they are called where trials run. */
  roots?: Roots | undefined;
  /** The device of trials on a cluster, if it is not what the options say. */
  jobDevice?: string | undefined;
  /** Leave the trials with the workers, and end. */
  detach?: boolean | undefined;
  /** A worker elsewhere without a sign of life for this time is lost. */
  leaseMs?: number | undefined;
  /** Folder of the sweeps, absolute. */
  runsDir: string;
  /** auto, cpu, cuda, cuda:I or mps. */
  device: string;
  /** The devices of the trials, if they are named one by one. */
  devices?: string[] | undefined;
  /** Trials that run at the same time on each device. */
  slotsPerDevice?: number | undefined;
  /** The user's interpreter, in place of the environment that cliprpn builds. */
  python: string | undefined;
  /** Trials that run at the same time; undefined for the number that suits the machine. */
  numWorkers: number | undefined;
  /** A trial that takes longer fails. */
  trialTimeoutMs: number | undefined;
  /** A worker is replaced by a new process after as many trials; undefined for the default. */
  renewAfter?: number | undefined;
  /** Time between checkpoints within an epoch; 0 for none but those at the end of epochs. */
  checkpointMinutes?: number | undefined;
  /** True if a detector's .pt file, which runs code, may be loaded. */
  trustWeights: boolean;
  /** Keep finished trials that other code made, and mark them in the report. */
  acceptStale: boolean;
  /** Run finished trials again that other code made. */
  rerunStale: boolean;
  /** Run failed trials again. */
  retryFailed: boolean;
  /** Of these, only those with failures of these classes; undefined for all. */
  retryClasses?: readonly FailureClass[] | undefined;
  /** Ids of the failed trials to run again; no other trial runs. Undefined for all, and those that have not completed. */
  retryOnly?: ReadonlySet<string> | undefined;
  /** How often a trial runs again after a failure of a class, where it differs from the default. */
  retries?: Partial<Retries>;
  /** No trial starts after as many have failed; undefined for no limit. */
  maxFailures?: number | undefined;
  /** A command to run at the end of a sweep. */
  notify?: string | undefined;
  /** Print results as JSON lines. */
  json: boolean;
}

/** The sweeps' folder, created if needed. @throws a file-system error if it is not writable. */
export function writableRunsDir({ runsDir }: RunContext): string {
  mkdirSync(runsDir, { recursive: true });
  accessSync(runsDir, constants.W_OK);
  return runsDir;
}

/** True if trials run on other machines than this one. */
export function isElsewhere({ engine }: Pick<RunContext, "engine">): boolean {
  return (engine ?? "local") !== "local";
}
