import { readOwner } from "../base/owner-lock.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { allSweeps } from "../store/sweeps.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { lastEnds } from "../sweep/resume.ts";

/** The name of a sweep that a process works on now and that is going to run a trial, or runs it; undefined if there is none. */
export function sweepThatRuns(trial: TrialStore): string | undefined {
  return allSweeps(trial.runsDir).find((sweep) => isRunning(sweep) && isGoingToRun(sweep, trial))?.name;
}

function isRunning(sweep: SweepStore): boolean {
  return readOwner(sweep.lockFolder) !== undefined;
}

function isGoingToRun(sweep: SweepStore, trial: TrialStore): boolean {
  if (sweep.rowOf(trial.trial_id)?.asked !== true) return false;
  const entries = sweep.entries();
  const startedAt = entries.findLastIndex(({ type }) => type === "sweep_started");
  const ends = (from: number) =>
    lastEnds(entries.slice(from).filter((entry) => entry.type === "trial_finished")).get(trial.trial_id);
  if (ends(Math.max(0, startedAt)) !== undefined) return false;
  if (trial.accepted().length > 0) return reruns(entries[startedAt], "--rerun-stale");
  // Failed trials of an earlier run stay so, unless the command asks for them.
  return ends(0) === undefined || reruns(entries[startedAt], "--retry-failed");
}

function reruns(started: ReturnType<SweepStore["entries"]>[number] | undefined, option: string): boolean {
  return started?.type === "sweep_started" && started.command.split(" ").includes(option);
}
