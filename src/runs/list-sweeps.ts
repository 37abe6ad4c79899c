import { describeOwner, readOwner } from "../base/owner-lock.ts";
import { codeHashes } from "../contract/code-identity.ts";
import type { TrialRow } from "../contract/generated/types.ts";
import { isUpperBound } from "../contract/trial-identity.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { allSweeps } from "../store/sweeps.ts";
import { TrialStore } from "../store/trial-store.ts";
import { type TrialStatus, trialStatuses } from "../sweep/resume.ts";

/** A sweep in a runs folder, as `cliprpn list` shows it. */
export interface ListedSweep {
  name: string;
  folder: string;
  /** Null if it cannot be read. */
  question: string | null;
  /** Numbers of trials; null if they cannot be read. Stale ones are completed too. */
  trials: TrialCounts | null;
  /** The configuration with the highest mean Acc@0.5 on val; null before a trial is complete. */
  best: BestSetting | null;
  /** The process that works on it. */
  running: string | null;
  /** UTC, ISO 8601. */
  changed_at: string;
  /** Number of journal lines that this version does not know. */
  num_unknown_lines: number;
  /** Why something of it cannot be read. */
  problem: string | null;
}

export interface TrialCounts {
  asked: number;
  completed: number;
  stale: number;
  failed: number;
  waiting: number;
  /** Only an earlier version of the experiment asked for them. */
  not_asked: number;
}

export interface BestSetting {
  label: string;
  acc_at_50: number;
  num_trials: number;
}

/** The sweeps in a runs folder, the one that was changed last first. It never fails because of a damaged sweep. */
export function listSweeps(runsDir: string): ListedSweep[] {
  const results = new Map<string, number | undefined>();
  return allSweeps(runsDir).map((sweep) => listSweep(sweep, results));
}

/** @param results Acc@0.5 on val by attempt: sweeps share trials. */
function listSweep(sweep: SweepStore, results: Map<string, number | undefined>): ListedSweep {
  const problems: string[] = [];
  const tried = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  const owner = tried(() => readOwner(sweep.lockFolder));
  const experiment = tried(() => sweep.experiment());
  const rows = tried(() => sweep.rows());
  const asked = (rows ?? []).filter((row) => row.asked);
  const statuses = tried(() => trialStatuses(sweep, withCode(asked)));
  if (owner === undefined && problems.length === 0 && (experiment === undefined || rows === undefined))
    problems.push(`${sweep.folder}: the sweep stopped before its first trial; run it again`);
  return {
    name: sweep.name,
    folder: sweep.folder,
    question: experiment?.question ?? null,
    trials:
      rows === undefined || statuses === undefined
        ? null
        : { ...countStates(statuses), asked: asked.length, not_asked: rows.length - asked.length },
    best: (statuses && tried(() => bestSetting(sweep, asked, statuses, results))) ?? null,
    running: owner === undefined ? null : describeOwner(owner),
    changed_at: new Date(sweep.changedAt).toISOString(),
    num_unknown_lines: tried(() => sweep.journal.content().numUnknown) ?? 0,
    problem: problems[0] ?? null,
  };
}

function withCode(rows: readonly TrialRow[]): { trial_id: string; sources_sha256: string }[] {
  const hashes = codeHashes();
  return rows.map(({ trial }) => ({ trial_id: trial.trial_id, sources_sha256: hashes[trial.kind] }));
}

function countStates(statuses: Map<string, TrialStatus>): Omit<TrialCounts, "asked" | "not_asked"> {
  const counts = { completed: 0, stale: 0, failed: 0, waiting: 0 };
  for (const status of statuses.values()) {
    counts[status.state] += 1;
    if (status.state === "completed" && status.isStale) counts.stale += 1;
  }
  return counts;
}

function bestSetting(
  { runsDir }: SweepStore,
  asked: readonly TrialRow[],
  statuses: Map<string, TrialStatus>,
  results: Map<string, number | undefined>,
): BestSetting | undefined {
  const settings = new Map<string, { sum: number; num_trials: number }>();
  for (const { label, trial } of asked) {
    const status = statuses.get(trial.trial_id);
    if (status?.state !== "completed" || isUpperBound(trial)) continue;
    const { attempt } = status.accepted;
    const key = `${trial.trial_id}/${attempt}`;
    if (!results.has(key)) results.set(key, accuracyOf(new TrialStore(runsDir, trial.trial_id), attempt));
    const value = results.get(key);
    if (value === undefined) continue;
    const setting = settings.get(label) ?? { sum: 0, num_trials: 0 };
    settings.set(label, { sum: setting.sum + value, num_trials: setting.num_trials + 1 });
  }
  const means = [...settings].map(([label, { sum, num_trials }]) => ({
    label,
    acc_at_50: sum / num_trials,
    num_trials,
  }));
  return means.reduce<BestSetting | undefined>(
    (best, setting) => (best === undefined || setting.acc_at_50 > best.acc_at_50 ? setting : best),
    undefined,
  );
}

function accuracyOf(trial: TrialStore, attempt: number): number | undefined {
  const outcome = trial.outcome(attempt);
  return outcome?.state === "completed" ? outcome.metrics.acc_at_50 : undefined;
}
