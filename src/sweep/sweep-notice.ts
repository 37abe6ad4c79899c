import { machineError } from "../base/machine-error.ts";
import { CliprpnError, EXIT, exitCodeOf, isInterruption } from "../contract/errors.ts";
import type { SweepNotice } from "../contract/generated/types.ts";
import { schemaVersion } from "../store/files.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { storedResults } from "./results/stored-results.ts";

/** How a run of a sweep ended: with an exit code, or with an error. */
export type SweepEnd = { code: number } | { error: unknown };

export interface EndedSweep {
  store: SweepStore;
  end: SweepEnd;
  /** In ms since 1970. */
  startedAt: number;
  /** Aborted by Ctrl-C; `cliprpn stop` does not abort it. */
  signal: AbortSignal;
  /** The report that this run wrote. */
  reportFile: string | undefined;
}

/** What is said about a run of a sweep at its end. @throws CliprpnError bad_input if a file of the sweep is damaged. */
export function sweepNotice({ store, end, startedAt, signal, reportFile }: EndedSweep): SweepNotice {
  const { num_trials, num_completed, failures, leaderboard } = storedResults(store);
  const best = leaderboard().configurations.find(({ is_upper_bound }) => is_upper_bound !== true);
  return {
    schema_version: schemaVersion,
    sweep: store.name,
    folder: store.folder,
    ...stateOf(end, signal),
    num_trials,
    num_completed,
    num_failed: failures.length,
    best: best ?? null,
    report_file: reportFile ?? null,
    started_at: new Date(startedAt).toISOString(),
    duration_ms: Math.max(0, Date.now() - startedAt),
  };
}

function stateOf(end: SweepEnd, signal: AbortSignal): Pick<SweepNotice, "state" | "exit_code" | "message"> {
  if ("code" in end) {
    const state = end.code === EXIT.some_failed ? "failed" : "completed";
    return { state, exit_code: end.code, message: null };
  }
  const { error } = end;
  const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  if (isInterruption(error, signal))
    return { state: signal.aborted ? "interrupted" : "stopped", exit_code: EXIT.interrupted, message };
  return { state: "fault", exit_code: exitCodeFor(error), message };
}

/** Of the command that ends with this error. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof CliprpnError) return exitCodeOf(error.code);
  return machineError(error) === undefined ? EXIT.internal : EXIT.environment;
}
