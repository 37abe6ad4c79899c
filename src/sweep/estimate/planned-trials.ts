import { closeSync, openSync, readSync, statSync } from "node:fs";
import { describeOwner, readOwner } from "../../base/owner-lock.ts";
import type { JournalEntry, TrialSpec } from "../../contract/generated/types.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { TrialStore, trialIds } from "../../store/trial-store.ts";
import type { TrialStatus } from "../resume.ts";

/** What a run would do with a trial. */
export type PlannedTrial = { spec: TrialSpec } & (
  | { state: "completed" | "stale" | "failed" | "waiting" }
  /** It continues a checkpoint: training before it took `worked_ms`. */
  | { state: "resumes"; worked_ms: number }
  | { state: "running_elsewhere"; owner: string }
);

/**
 * What a run would do with each trial of a sweep.
 *
 * @param waiting the trials that have to run.
 */
export function plannedTrials(
  store: SweepStore,
  trials: readonly TrialSpec[],
  waiting: readonly TrialSpec[],
  statuses: ReadonlyMap<string, TrialStatus>,
): PlannedTrial[] {
  const toRun = new Set(waiting.map(({ trial_id }) => trial_id));
  let entries: JournalEntry[] | undefined;
  const existing = new Set(trialIds(store.runsDir));
  return trials.map((spec): PlannedTrial => {
    const status = statuses.get(spec.trial_id);
    if (!toRun.has(spec.trial_id)) {
      if (status?.state === "completed") return { spec, state: status.isStale ? "stale" : "completed" };
      return { spec, state: status?.state ?? "waiting" };
    }
    if (!existing.has(spec.trial_id)) return { spec, state: "waiting" };
    const trial = new TrialStore(store.runsDir, spec.trial_id);
    const owner = readOwner(trial.claimFolder);
    if (owner !== undefined) return { spec, state: "running_elsewhere", owner: describeOwner(owner) };
    const attempts = trial.resumable().filter((number) => isOfCode(trial.checkpointFile(number), spec));
    if (attempts.length === 0) return { spec, state: "waiting" };
    entries ??= store.entries();
    const worked_ms = workedMs(trial, attempts, entries);
    return worked_ms === undefined ? { spec, state: "waiting" } : { spec, state: "resumes", worked_ms };
  });
}

/** A checkpoint by another code is not continued. Its beginning names the code. */
function isOfCode(checkpoint: string, { sources_sha256 }: TrialSpec): boolean {
  const head = Buffer.alloc(headBytes);
  try {
    const fd = openSync(checkpoint, "r");
    try {
      return head.subarray(0, readSync(fd, head)).includes(sources_sha256);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false; // Removed meanwhile.
  }
}

const headBytes = 4096;

/**
 * The time between the starts of attempts and their last checkpoints; undefined if this sweep did not start them: then nobody
 * knows how much is left.
 */
function workedMs(
  trial: TrialStore,
  attempts: readonly number[],
  entries: readonly JournalEntry[],
): number | undefined {
  let worked: number | undefined;
  for (const number of attempts) {
    const started = entries.findLast(
      (entry) =>
        entry.type === "trial_started" && entry.trial_id === trial.trial_id && entry.attempt === number,
    );
    const saved = statSync(trial.checkpointFile(number), { throwIfNoEntry: false })?.mtimeMs;
    if (started === undefined || saved === undefined) continue;
    worked = (worked ?? 0) + Math.max(0, saved - Date.parse(started.at));
  }
  return worked;
}
