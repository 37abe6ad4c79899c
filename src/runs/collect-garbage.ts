import { OwnerLock, tryOwnerLock } from "../base/owner-lock.ts";
import { lastModelFiles } from "../store/attempt-files.ts";
import { removeAttempt, removeFiles, removeFolder, removeLeftover, removeTrial } from "../store/remove.ts";
import { TrialStore } from "../store/trial-store.ts";
import { jointRemovals } from "./joint-removals.ts";
import { answersRemovals, otherRemovals, reportRemovals } from "./other-removals.ts";
import { planTrials, removalsOf } from "./plan-gc.ts";
import type { GcOptions, GcPlan, Removal, TrialRemoval } from "./removal.ts";
import { runningSweeps, SweepLocks } from "./sweep-locks.ts";
import { type TrialUses, trialUses } from "./trial-uses.ts";

/** Where to collect, and what. */
export interface GcRequest {
  runsDir: string;
  /** The cache, for its logs. */
  cache: string;
  options: GcOptions;
  /** The command as typed, for processes that wait for a lock. */
  command: string;
  signal: AbortSignal;
}

/** What may be removed; nothing is changed. Trials that a process uses are listed as skipped. */
export function planGarbage(request: GcRequest): GcPlan {
  const { runsDir, cache, options } = request;
  const uses = trialUses(runsDir);
  const plan = planTrials(runsDir, uses, options, runningSweeps(runsDir));
  const answers = answersRemovals(runsDir);
  const others = [
    ...otherRemovals(runsDir, cache, options),
    ...answers.removals,
    ...[...reportRemovals(runsDir).values()].flat(),
  ];
  const joint = wantedJoint(request);
  return {
    ...plan,
    removals: [...plan.removals, ...others, ...joint.removals],
    more: [...plan.more, ...joint.more],
    problems: [...uses.problems, ...plan.problems, ...answers.problems],
  };
}

/**
 * Removes what may be removed. It decides again, and removes, under the locks of the sweeps that list a trial and the claim of the
 * trial; what another process uses is skipped. After a kill, the next run continues.
 *
 * @returns the plan, with what was removed.
 */
export async function collectGarbage(request: GcRequest): Promise<GcPlan> {
  const { runsDir, cache, options, signal } = request;
  const plan = planGarbage(request);
  const result: GcPlan = { ...plan, removals: [] };
  const locks = new SweepLocks(runsDir, request.command);
  try {
    await locks.take(neededSweeps(plan, trialUses(runsDir), locks));
    const uses = trialUses(runsDir); // The sweeps that are locked do not change now.
    for (const trial_id of new Set(plan.removals.flatMap((removal) => removal.trial_id ?? []))) {
      signal.throwIfAborted();
      await collectTrial(new TrialStore(runsDir, trial_id), { uses, locks, request, result });
    }
    for (const removal of [...otherRemovals(runsDir, cache, options), ...answersRemovals(runsDir).removals]) {
      removeLeftover(removal.path);
      result.removals.push(removal);
    }
    for (const removal of wantedJoint(request).removals) {
      signal.throwIfAborted();
      if (removal.reason === "joint") removeFolder(removal.path);
      else removeLeftover(removal.path);
      result.removals.push(removal);
    }
    await collectReports(request, result);
    return result;
  } finally {
    await locks.release();
  }
}

/** Joint training sets count only with their option. */
function wantedJoint({ runsDir, cache, options }: GcRequest): Pick<GcPlan, "removals" | "more"> {
  const found = jointRemovals(runsDir, cache);
  const isWanted = ({ reason }: Removal): boolean => reason !== "joint" || options.jointData;
  return { removals: found.filter(isWanted), more: found.filter((each) => !isWanted(each)) };
}

/** The sweeps that list the trials; all, if trials that no sweep asks for are removed: any sweep may begin to ask for them. */
function neededSweeps({ removals }: GcPlan, uses: TrialUses, locks: SweepLocks): string[] {
  return removals.some(({ reason }) => reason === "unasked")
    ? locks.allNames()
    : removals.flatMap(({ trial_id }) => uses.sweeps.get(trial_id ?? "") ?? []);
}

interface Collection {
  uses: TrialUses;
  locks: SweepLocks;
  request: GcRequest;
  result: GcPlan;
}

async function collectTrial(trial: TrialStore, { uses, locks, request, result }: Collection): Promise<void> {
  const { trial_id } = trial;
  const claim = await tryOwnerLock(trial.claimFolder, { command: request.command, onLost: () => undefined });
  if (!(claim instanceof OwnerLock)) {
    result.skipped.push({ trial_id, sweep: null, owner: claim });
    return;
  }
  try {
    for (const removal of currentRemovals(trial, uses, request.options, result)) {
      const needed = removal.reason === "unasked" ? locks.allNames() : (uses.sweeps.get(trial_id) ?? []);
      const running = locks.heldByOthers(needed);
      if (running !== undefined) {
        result.skipped.push({ trial_id, ...running });
        return;
      }
      remove(trial, removal);
      result.removals.push(removal);
    }
  } finally {
    await claim.release();
  }
}

/** The removals of a claimed trial; none if it cannot be read. */
function currentRemovals(
  trial: TrialStore,
  uses: TrialUses,
  options: GcOptions,
  { problems }: GcPlan,
): TrialRemoval[] {
  try {
    return removalsOf(trial, uses, options).removals;
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return [];
  }
}

function remove(trial: TrialStore, { reason, attempt, path }: Removal): void {
  if (reason === "unasked") removeTrial(trial);
  else if (attempt === null) removeLeftover(path);
  else if (reason === "last_model") removeFiles(lastModelFiles(trial, attempt));
  else removeAttempt(trial, attempt);
}

async function collectReports({ runsDir, command }: GcRequest, result: GcPlan): Promise<void> {
  for (const [owner, removals] of reportRemovals(runsDir)) {
    const lock = await tryOwnerLock(owner.reportLockFolder, { command, onLost: () => undefined });
    if (!(lock instanceof OwnerLock)) continue; // A report is being written.
    try {
      for (const removal of removals) {
        removeLeftover(removal.path);
        result.removals.push(removal);
      }
    } finally {
      await lock.release();
    }
  }
}
