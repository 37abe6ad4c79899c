import { existsSync } from "node:fs";
import { describeOwner, readOwner } from "../base/owner-lock.ts";
import type {
  ErrorInfo,
  LeaderboardSoFar,
  StoredExperiment,
  SweepStatus,
} from "../contract/generated/types.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { type Failure, storedResults } from "../sweep/results/stored-results.ts";
import { continuingCommand, type LeftTrials, leftTrials } from "../sweep/run/detach.ts";

/** What `cliprpn status` prints about a sweep. */
export interface ShownStatus {
  name: string;
  folder: string;
  question: StoredExperiment["question"] | null;
  /** The process that works on it; null if none does. */
  owner: string | null;
  /** What it is doing; null before its first trial, and when it writes the report. */
  now: SweepStatus | null;
  /** The fault of the machine that ended its last start; null if there was none. */
  paused: { at: string; error: ErrorInfo } | null;
  /** What workers have of it while no process runs it; missing if they have nothing. */
  left?: LeftTrials & {
    /** That continues it; null if it is not known. */
    command: string | null;
  };
  /** Trials that the experiment asks for. */
  num_trials: number;
  /** Of these, ended as the journal has it; trials that were complete before their sweep ran are not in it. */
  num_completed: number;
  /** While trials run, as their process has it. */
  leaderboard: LeaderboardSoFar;
  failures: Failure[];
  /** The report on val, absolute; null if there is none. */
  report_file: string | null;
}

/**
 * The status of a sweep, from its own files: 10,000 trials take half a second. Only trials whose results are not in its journal,
 * such as those that another sweep has completed, are read from their folders.
 *
 * @throws CliprpnError bad_input if a file is damaged.
 */
export function sweepStatus(sweep: SweepStore): ShownStatus {
  const owner = readOwner(sweep.lockFolder);
  const { leaderboard, ...results } = storedResults(sweep);
  const now = sweep.status() ?? null;
  const pause = sweep.journal.pause();
  const reportFile = sweep.reportFile("val");
  const left = leftTrials(sweep);
  return {
    name: sweep.name,
    folder: sweep.folder,
    question: sweep.experiment()?.question ?? null,
    owner: owner === undefined ? null : describeOwner(owner),
    now,
    paused: pause === undefined ? null : { at: pause.at, error: pause.error },
    ...(owner !== undefined || left === undefined
      ? {}
      : { left: { ...left, command: continuingCommand(sweep) ?? null } }),
    ...results,
    leaderboard: now?.leaderboard ?? leaderboard(),
    report_file: existsSync(reportFile) ? reportFile : null,
  };
}
