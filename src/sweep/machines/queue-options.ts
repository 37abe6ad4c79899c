import type { TrialSpec } from "../../contract/generated/types.ts";
import type { QueueLauncherOptions } from "../../engine/queue/queue-launcher.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import type { RunContext } from "../run-context.ts";

/** Options of the launcher for workers on other machines, which meet in the queue of the sweep, whatever starts them. */
export function queueOptions(
  waiting: readonly TrialSpec[],
  store: SweepStore,
  { roots, trialTimeoutMs, leaseMs }: RunContext,
): Omit<QueueLauncherOptions, "tell" | "maxAttempts" | "pilots"> {
  return {
    folder: store.queueFolder,
    runsDir: store.runsDir,
    numThreads: waiting[0]?.num_threads ?? null,
    graceMs,
    roots,
    ...(trialTimeoutMs === undefined ? {} : { trialTimeoutMs }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  };
}

/** As on this machine. */
const graceMs = 5000;
