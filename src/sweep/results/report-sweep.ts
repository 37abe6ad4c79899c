import { EXIT } from "../../contract/errors.ts";
import type { Split, SweepEvent, TrialSpec } from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Plan } from "../../experiment/plan.ts";
import type { FailIf } from "../../report/conditions/fail-if.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { checkConditions, type JudgedFigures } from "../check-conditions.ts";
import { type TrialStatus, trialStatuses } from "../resume.ts";
import type { RunContext } from "../run-context.ts";
import { makeReport } from "./make-report.ts";

/**
 * Writes the report if a trial is complete.
 *
 * @param waiting the trials that ran now: of these, a stale result is not enough.
 * @returns the exit code: whether all trials are complete; and the report.
 */
export async function reportSweep(
  store: SweepStore,
  plan: Plan,
  { waiting, split, failIf }: { waiting: readonly TrialSpec[]; split: Split; failIf: readonly FailIf[] },
  engine: Engine,
  run: RunContext,
): Promise<{ code: number; file: string | undefined }> {
  const { terminal, json } = run;
  const statuses = trialStatuses(store, plan.trials);
  const completed = plan.trials.filter(({ trial_id }) => statuses.get(trial_id)?.state === "completed");
  let figures: JudgedFigures | undefined;
  if (completed.length > 0) {
    const made = await makeReport(store, split, engine, run);
    figures = { splits: [{ name: split, summary: made.summary }], combined: made.combined };
    const event: SweepEvent = { type: "report", report_file: made.file };
    terminal.result(json ? JSON.stringify(event) : made.file);
  } else terminal.info("No trial completed, so no report was written.");
  listAttempts(store, statuses);
  const hasFailed = waiting.some(({ trial_id }) => {
    const status = statuses.get(trial_id);
    return status?.state === "completed" && status.isStale;
  });
  const isComplete = completed.length === plan.trials.length && !hasFailed;
  const code = figures === undefined ? EXIT.good : checkConditions(failIf, figures, terminal);
  return {
    code: isComplete ? code : EXIT.some_failed,
    file: figures === undefined ? undefined : store.reportFile(split),
  };
}

/** Writes the attempts that count into the list of trials: what another sweep completed is not in this one's journal. */
export function listAttempts(store: SweepStore, statuses: ReadonlyMap<string, TrialStatus>): void {
  store.writeTrials(
    store.read().trials.map((trial) => {
      const status = statuses.get(trial.spec.trial_id);
      return status?.state === "completed" ? { ...trial, attempt: status.accepted.attempt } : trial;
    }),
  );
}
