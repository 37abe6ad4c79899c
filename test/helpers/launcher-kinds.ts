/** The launchers that keep the same promises, each with real Python processes. */
import { join } from "node:path";
import type { Roots } from "../../src/contract/generated/types.ts";
import type { LaunchOptions } from "../../src/engine/engine.ts";
import type { Launcher } from "../../src/engine/launcher.ts";
import type { LocalEngine } from "../../src/engine/local/local-engine.ts";
import type { PilotSource } from "../../src/engine/queue/pilot-source.ts";
import { QueueLauncher } from "../../src/engine/queue/queue-launcher.ts";
import { LocalPilots } from "./local-pilots.ts";
import type { MarkedProcesses } from "./processes.ts";

export interface LaunchSetup {
  runsDir: string;
  engine: LocalEngine;
  env: NodeJS.ProcessEnv;
  graceMs: number;
  trialTimeoutMs?: number | undefined;
  leaseMs: number;
  /** Folders of this machine, and what they are called where pilots run. */
  roots?: Roots | undefined;
}

export interface LauncherKind {
  name: string;
  launch(setup: LaunchSetup, options: LaunchOptions): Launcher;
  /** A command line that has this is of a process whose end loses its attempt. */
  worker: RegExp;
}

export const localKind: LauncherKind = {
  name: "on this machine",
  launch: ({ engine }, options) => engine.launch(options),
  worker: /\bpython\S* .*pythonia/,
};

export const queueKind: LauncherKind = {
  name: "over a shared folder",
  launch: (setup, options) => {
    const { runsDir, env } = setup;
    const pilots = { numPilots: options.slots.length, env, logFile: join(runsDir, "pilots.log") };
    return launchQueue(setup, options, new LocalPilots({ folder: queueIn(runsDir), ...pilots }));
  },
  worker: /worker_faults --queue/,
};

/** A launcher over the queue of the test's sweep. */
export function launchQueue(
  { runsDir, graceMs, trialTimeoutMs, leaseMs, roots }: Omit<LaunchSetup, "engine" | "env">,
  { slots, tell }: LaunchOptions,
  pilots: PilotSource,
): Launcher {
  return new QueueLauncher({
    folder: queueIn(runsDir),
    runsDir,
    numThreads: null,
    maxAttempts: 2 * slots.length,
    tell,
    graceMs,
    ...(trialTimeoutMs === undefined ? {} : { trialTimeoutMs }),
    leaseMs,
    roots,
    pilots,
  });
}

export function queueIn(runsDir: string): string {
  return join(runsDir, "sweeps/test/queue");
}

/** Ids of the processes whose end loses their attempts. */
export function workersOf({ worker }: LauncherKind, processes: MarkedProcesses): number[] {
  return processes
    .running()
    .filter((line) => worker.test(line))
    .map((line) => Number.parseInt(line, 10));
}
