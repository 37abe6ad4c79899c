/** Whether a sweep on a simulated cluster lost a trial, ran one twice at the same time, or counted one twice. */
import { readOwner } from "../../../src/base/owner-lock.ts";
import type { JournalEntry, TrialSpec } from "../../../src/contract/generated/types.ts";
import type { SweepStore } from "../../../src/store/sweep-store.ts";
import { TrialStore } from "../../../src/store/trial-store.ts";
import { defaultRetries } from "../../../src/sweep/failure-policy.ts";
import type { Fate } from "./simulated-cluster.ts";

export interface SweepCounts {
  num_completed: number;
  num_failed: number;
  num_attempts: number;
  /** Trials that count an attempt of a worker that had been given up. */
  num_found: number;
  /** Completed attempts that do not count, as another one of the trial does. */
  num_surplus: number;
}

/** @throws if anything differs from what the fates of the attempts allow. */
export function checkSweep(
  store: SweepStore,
  specs: readonly TrialSpec[],
  fatesOf: (spec: TrialSpec) => Fate[],
): SweepCounts {
  const ends = endsByTrial(store.journal.entries());
  const counts = { num_completed: 0, num_failed: 0, num_attempts: 0, num_found: 0, num_surplus: 0 };
  for (const spec of specs) {
    const trial = new TrialStore(store.runsDir, spec.trial_id);
    const fates = fatesOf(spec);
    const numbers = fates.map((_, index) => index + 1);
    const all = ends.get(spec.trial_id) ?? [];
    // An attempt whose worker had been given up, and which was found complete later, ends a second time.
    const isFound = all.at(-1)?.state === "completed" && all.length > fates.length;
    const ended = isFound ? all.slice(0, -1) : all;
    const demand = (isMet: boolean, what: string): void => {
      if (!isMet)
        throw new Error(
          `${trial.folder}: expected ${what}; its attempts ${fates.join(", ")} ended as ${JSON.stringify(all)}`,
        );
    };
    demand(fates.length > 0, "an attempt");
    demand(String(trial.attempts()) === String(numbers), "a folder for each attempt");
    demand(
      String(ended.map(({ attempt }) => attempt)) === String(numbers),
      "one end of each attempt, in order",
    );
    demand(readOwner(trial.claimFolder) === undefined, "no claim");
    const numLost = ended.filter(({ state }) => state === "retried").length;
    demand(numLost <= defaultRetries.worker_lost, "at most two retries");
    const accepted = trial.accepted();
    demand(accepted.length <= 1, "one accepted attempt");
    const [counted] = accepted;
    const last = ended.at(-1);
    counts.num_attempts += fates.length;
    counts.num_surplus += numbers.filter(
      (number) => number !== counted?.attempt && trial.outcome(number)?.state === "completed",
    ).length;
    if (counted === undefined) {
      demand(last?.state === "failed", "a failure");
      const isGivenUp = numLost === defaultRetries.worker_lost && isLoss(fates.at(-1));
      demand(fates.at(-1) === "fails" || isGivenUp, "a failure of the trial, or three lost workers");
      counts.num_failed += 1;
      continue;
    }
    const outcome = trial.outcome(counted.attempt);
    const isItsOwn = outcome?.state === "completed" && outcome.num_trainable_parameters === counted.attempt;
    demand(isItsOwn && outcome.trial_id === spec.trial_id, "the outcome of the accepted attempt");
    counts.num_completed += 1;
    if (last?.state === "completed") demand(counted.attempt === last.attempt, "the last attempt to count");
    else {
      demand(isFound && all.at(-1)?.attempt === counted.attempt, "an end of the attempt that was found");
      demand(last?.state === "retried" || last?.state === "preempted", "an attempt that would run again");
      demand(writesLate(fates[counted.attempt - 1]), "an attempt whose worker had been given up");
      counts.num_found += 1;
    }
    demand(all.filter(({ state }) => isFinal(state)).length <= 1, "at most one final end");
  }
  return counts;
}

type End = Extract<JournalEntry, { type: "trial_finished" }>;

function endsByTrial(entries: readonly JournalEntry[]): Map<string, Pick<End, "attempt" | "state">[]> {
  const ends = new Map<string, Pick<End, "attempt" | "state">[]>();
  for (const entry of entries) {
    if (entry.type !== "trial_finished") continue;
    const { trial_id, attempt, state } = entry;
    const list = ends.get(trial_id) ?? [];
    list.push({ attempt, state });
    ends.set(trial_id, list);
  }
  return ends;
}

function isFinal(state: End["state"]): boolean {
  return state !== "retried" && state !== "preempted";
}

function isLoss(fate: Fate | undefined): boolean {
  return fate === "crashes" || fate === "killed" || writesLate(fate);
}

function writesLate(fate: Fate | undefined): boolean {
  return fate === "freezes" || fate === "dies_after_outcome";
}
