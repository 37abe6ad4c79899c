import type { TrialOutcome, TrialSpec } from "../../contract/generated/types.ts";
import type { ReportTrial } from "../../report/report-input.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { TrialStore } from "../../store/trial-store.ts";
import type { CompletedAttempt } from "../predict-on.ts";
import { type TrialStatus, trialStatuses } from "../resume.ts";

/** The trials of a sweep with their results: of the current code, else the newest. */
export function reportTrials(store: SweepStore, specs: readonly TrialSpec[]): KnownTrial[] {
  const statuses = trialStatuses(store, specs);
  return specs.map((spec) => reportTrial(spec, statuses.get(spec.trial_id), store.runsDir));
}

/** A trial of a sweep, as a report shows it. */
export interface KnownTrial extends ReportTrial {
  trial: TrialStore;
}

function reportTrial(spec: TrialSpec, status: TrialStatus | undefined, runsDir: string): KnownTrial {
  const trial = new TrialStore(runsDir, spec.trial_id);
  if (status?.state === "completed") {
    const { attempt } = status.accepted;
    return {
      spec,
      trial,
      attempt,
      outcome: trial.outcome(attempt),
      isStale: status.isStale,
      origin: status.accepted.origin,
    };
  }
  const outcome = status?.state === "failed" ? failure(spec, status.error) : undefined;
  return { spec, trial, attempt: null, outcome, isStale: false, origin: null };
}

function failure(
  { trial_id, sources_sha256 }: TrialSpec,
  error: Extract<TrialOutcome, { state: "failed" }>["error"],
): TrialOutcome {
  return {
    schema_version: 1,
    state: "failed",
    trial_id,
    sources_sha256,
    finished_at: "",
    error,
    traceback_file: null,
  };
}

/** The trial if it completed; a list of one or none. */
export function completedTrial({ spec, trial, attempt, outcome }: KnownTrial): CompletedAttempt[] {
  return outcome?.state === "completed" && attempt !== null ? [{ spec, outcome, trial, attempt }] : [];
}
