import { sizeOf } from "../base/files.ts";
import { type LockOwner, readOwner } from "../base/owner-lock.ts";
import type { AcceptedAttempt, TrialOutcome } from "../contract/generated/types.ts";
import { hasSetAside } from "../store/adopt/adopt-trial.ts";
import { lastModelFiles } from "../store/attempt-files.ts";
import { leftoversOf } from "../store/remove.ts";
import { trialIds } from "../store/trial-ids.ts";
import { TrialStore } from "../store/trial-store.ts";
import { isOlderThanDays } from "./other-removals.ts";
import type { GcOptions, GcPlan, OptionalReason, Reason, SkippedTrial, TrialRemoval } from "./removal.ts";
import { isAsked, isDetector, type TrialUses } from "./trial-uses.ts";

/**
 * What may be removed from the trials.
 *
 * @param runningSweeps who works on a sweep; its trials are left alone.
 */
export function planTrials(
  runsDir: string,
  uses: TrialUses,
  options: GcOptions,
  runningSweeps: ReadonlyMap<string, LockOwner>,
): GcPlan {
  const plan: GcPlan = { removals: [], more: [], skipped: [], problems: [] };
  for (const trial_id of trialIds(runsDir)) {
    const trial = new TrialStore(runsDir, trial_id);
    try {
      const { removals, more } = removalsOf(trial, uses, options);
      plan.more.push(...more);
      const skipped = removals.length === 0 ? undefined : userOf(trial, uses, runningSweeps, removals);
      if (skipped === undefined) plan.removals.push(...removals);
      else plan.skipped.push(skipped);
    } catch (error) {
      // A trial that cannot be read is kept.
      plan.problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return plan;
}

/** @throws CliprpnError bad_input if a file of the trial is damaged. */
export function removalsOf(
  trial: TrialStore,
  uses: TrialUses,
  options: GcOptions,
): { removals: TrialRemoval[]; more: TrialRemoval[] } {
  const wanted: Record<Reason, boolean> = { ...always, ...optional(options) };
  const found = [...attemptRemovals(trial, uses), ...lastModels(trial, uses), ...leftovers(trial)];
  const removals = found.filter(({ reason }) => wanted[reason]);
  // The models of an attempt that is removed go with it.
  const attempts = new Set(removals.flatMap((each) => (each.reason === "last_model" ? [] : [each.attempt])));
  const distinct = removals.filter((each) => each.reason !== "last_model" || !attempts.has(each.attempt));
  const more = found.filter(({ reason }) => !wanted[reason]);
  if (isAsked(uses, trial) || isDetector(uses, trial.folder)) return { removals: distinct, more };
  const whole: TrialRemoval = {
    reason: "unasked",
    path: trial.folder,
    bytes: sizeOf(trial.folder),
    trial_id: trial.trial_id,
    attempt: null,
  };
  if (wanted.unasked) return { removals: [whole], more: [] };
  const freed = distinct.reduce((sum, { bytes }) => sum + bytes, 0);
  return { removals: distinct, more: [...more, { ...whole, bytes: whole.bytes - freed }] };
}

const always = { unfinished: true, failed: true, refused: true, answers: true, leftover: true, log: true };

function optional(options: GcOptions): Record<OptionalReason, boolean> {
  const { resumable, oldCode, unasked, lastModels, jointData } = options;
  return { resumable, old_code: oldCode, unasked, last_model: lastModels, joint: jointData };
}

function attemptRemovals(trial: TrialStore, uses: TrialUses): TrialRemoval[] {
  const numbers = trial.attempts();
  const accepted = trial.accepted();
  const current = uses.code[trial.identity()?.kind ?? "cliprpn"];
  const hasResult = accepted.some(({ sources_sha256 }) => sources_sha256 === current);
  const resumable = hasResult || !isAsked(uses, trial) ? undefined : trial.resumable()[0];
  return numbers.flatMap((attempt) => {
    const outcome = trial.outcome(attempt);
    const reason =
      outcome?.state === "completed"
        ? reasonOfCompleted(attempt, outcome, accepted, current)
        : reasonOfOther(trial, attempt, outcome, uses, {
            isNeeded: accepted.length === 0 && attempt === numbers.at(-1) && isAsked(uses, trial),
            isResumable: attempt === resumable,
          });
    const { folder } = trial.attempt(attempt);
    if (reason === undefined || isDetector(uses, folder)) return [];
    const bytes = sizeOf(folder) + sizeOf(trial.laterAnswersFolder(attempt));
    return [{ reason, path: folder, bytes, trial_id: trial.trial_id, attempt }];
  });
}

function reasonOfCompleted(
  attempt: number,
  { sources_sha256 }: TrialOutcome,
  accepted: readonly AcceptedAttempt[],
  current: string,
): Reason | undefined {
  const own = accepted.find((each) => each.attempt === attempt);
  if (own === undefined && accepted.some((each) => each.sources_sha256 === sources_sha256)) return "refused";
  // One that no attempt of its code precedes is a result too: its process was killed before it accepted it.
  const code = own?.sources_sha256 ?? sources_sha256;
  const hasCurrent = accepted.some((each) => each.sources_sha256 === current);
  return code !== current && hasCurrent ? "old_code" : undefined;
}

/** @param isNeeded true if its log explains why a trial that is asked for has no result. */
function reasonOfOther(
  trial: TrialStore,
  attempt: number,
  outcome: TrialOutcome | undefined,
  { failures }: TrialUses,
  { isNeeded, isResumable }: { isNeeded: boolean; isResumable: boolean },
): Reason | undefined {
  const { trial_id } = trial;
  if (isResumable) return "resumable";
  if (outcome === undefined && !failures.has(`${trial_id}/${attempt}`))
    // Of an earlier version, it may contain a result that a person can restore.
    return hasSetAside(trial.attempt(attempt).folder) ? undefined : "unfinished";
  return isNeeded ? undefined : "failed";
}

function lastModels(trial: TrialStore, uses: TrialUses): TrialRemoval[] {
  return trial.accepted().flatMap(({ attempt }) => {
    const files = lastModelFiles(trial, attempt);
    const [path] = files;
    if (path === undefined || isDetector(uses, trial.attempt(attempt).folder)) return [];
    const bytes = files.reduce((sum, file) => sum + sizeOf(file), 0);
    return [{ reason: "last_model", path, bytes, trial_id: trial.trial_id, attempt }];
  });
}

function leftovers(trial: TrialStore): TrialRemoval[] {
  return leftoversOf(trial, isOlderThanDays(1)).map((path) => ({
    reason: "leftover",
    path,
    bytes: sizeOf(path),
    trial_id: trial.trial_id,
    attempt: null,
  }));
}

/** The process that uses a trial, or a sweep that lists it. Any running sweep may ask for a trial that no sweep asks for. */
function userOf(
  trial: TrialStore,
  uses: TrialUses,
  runningSweeps: ReadonlyMap<string, LockOwner>,
  removals: readonly TrialRemoval[],
): SkippedTrial | undefined {
  const { trial_id } = trial;
  const owner = readOwner(trial.claimFolder);
  if (owner !== undefined) return { trial_id, sweep: null, owner };
  const isWhole = removals.some(({ reason }) => reason === "unasked");
  for (const [sweep, owner] of runningSweeps)
    if (isWhole || uses.sweeps.get(trial_id)?.includes(sweep)) return { trial_id, sweep, owner };
  return undefined;
}
