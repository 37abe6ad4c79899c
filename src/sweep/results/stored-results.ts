import { codeHashes } from "../../contract/code-identity.ts";
import type {
  ConfigurationSoFar,
  ErrorInfo,
  LeaderboardSoFar,
  TrialSpec,
} from "../../contract/generated/types.ts";
import { trialName } from "../../report/names.ts";
import type { TrialEnd } from "../../store/journal.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import type { ListedTrial } from "../../store/trial-rows.ts";
import { TrialStore } from "../../store/trial-store.ts";
import { lastEnds } from "../resume.ts";
import { Leaderboard, type TrialResult } from "./leaderboard.ts";

/** What a sweep's own files say about the trials that it asks for. */
export interface StoredResults {
  num_trials: number;
  num_completed: number;
  failures: Failure[];
  /** @throws CliprpnError bad_input if a trial's folder has to be read and is damaged. */
  leaderboard: () => LeaderboardSoFar;
}

export interface Failure {
  trial: string;
  trial_id: string;
  attempt: number;
  error: ErrorInfo;
}

/**
 * The results of a sweep as its list of trials and its journal have them; reading the folders of 10,000 trials takes seconds.
 *
 * @throws CliprpnError bad_input if a file is damaged.
 */
export function storedResults(store: SweepStore): StoredResults {
  const asked = (store.listed() ?? []).filter((trial) => trial.asked);
  const trials = [...new Map(asked.map((trial) => [trial.trial_id, trial])).values()];
  const ends = lastEnds(store.journal.ends());
  const completed: ListedTrial[] = [];
  const failures: Failure[] = [];
  for (const trial of trials) {
    const { trial_id } = trial;
    const end = ends.get(trial_id);
    if (isCompleted(trial, end)) completed.push(trial);
    else if (end !== undefined && end.error !== null)
      failures.push({ trial: trialName(trial), trial_id, attempt: end.attempt, error: end.error });
  }
  return {
    num_trials: trials.length,
    num_completed: completed.length,
    failures,
    leaderboard: () => {
      const leaderboard = new Leaderboard(trials);
      for (const trial of completed) {
        const result = resultOf(trial, ends.get(trial.trial_id), store.runsDir);
        if (result !== undefined) leaderboard.completed(trial, result);
      }
      return withIntervals(leaderboard.soFar(), store.journal.lastLeaderboard());
    },
  };
}

/** Takes over the intervals of configurations whose results are still the same. */
function withIntervals(now: LeaderboardSoFar, last: LeaderboardSoFar | undefined): LeaderboardSoFar {
  if (last?.confidence === undefined) return now;
  const known = new Map(last.configurations.map((row) => [row.label, row]));
  const configurations = now.configurations.map((row) => {
    const before = known.get(row.label);
    return before !== undefined && haveSameResults(before, row)
      ? { ...row, interval: before.interval ?? null }
      : row;
  });
  return { ...now, configurations, confidence: last.confidence };
}

function haveSameResults(a: ConfigurationSoFar, b: ConfigurationSoFar): boolean {
  const isNear = (name: "mean" | "min" | "max"): boolean =>
    Math.abs(a.acc_at_50[name] - b.acc_at_50[name]) < maxRounding;
  return a.num_completed === b.num_completed && isNear("mean") && isNear("min") && isNear("max");
}

/** Of a sum in another order. */
const maxRounding = 1e-9;

/** The result of the attempt that counts; undefined if there is none. @throws CliprpnError bad_input. */
export function acceptedResult(
  runsDir: string,
  { trial_id, sources_sha256 }: Pick<TrialSpec, "trial_id" | "sources_sha256">,
): TrialResult | undefined {
  const trial = new TrialStore(runsDir, trial_id);
  const attempt = trial.shown(sources_sha256)?.attempt;
  const outcome = attempt === undefined ? undefined : trial.outcome(attempt);
  return attempt === undefined || outcome?.state !== "completed"
    ? undefined
    : { trial_id, attempt, acc_at_50: outcome.metrics.acc_at_50 };
}

/** A trial that another sweep has completed has no end here. */
function isCompleted({ attempt }: ListedTrial, end: TrialEnd | undefined): boolean {
  return end === undefined ? attempt !== null : end.state === "completed" || end.state === "refused";
}

/** From the journal, if it has the result. */
function resultOf(
  { trial_id, kind }: ListedTrial,
  end: TrialEnd | undefined,
  runsDir: string,
): TrialResult | undefined {
  return end?.state === "completed" && end.acc_at_50 !== undefined
    ? { trial_id, attempt: end.attempt, acc_at_50: end.acc_at_50 }
    : acceptedResult(runsDir, { trial_id, sources_sha256: codeHashes()[kind] });
}
