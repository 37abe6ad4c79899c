import { resolve } from "node:path";
import { findRun } from "../compare/find-run.ts";
import { collector, type RequestedRun } from "../compare/request.ts";
import { resolveTrials } from "../compare/resolve-trials.ts";
import { CliprpnError } from "../contract/errors.ts";
import { invalidError } from "../experiment/invalid-error.ts";
import { locateTrials } from "../sweep/locate-trial.ts";
import type { CompletedAttempt } from "../sweep/predict-on.ts";
import type { RunContext } from "../sweep/run-context.ts";

/** A configuration to audit, with its trials. */
export interface AuditedConfiguration {
  label: string;
  trials: CompletedAttempt[];
}

/**
 * The configurations that a trial or a sweep stands for; without upper bounds, whose boxes no model has.
 *
 * @param what a trial, a sweep, or SWEEP:CONFIGURATION.
 * @throws CliprpnError bad_input, not_found.
 */
export function findConfigurations(what: string, run: RunContext): AuditedConfiguration[] {
  const { problems, report } = collector();
  const written = { value: what, where: what, offset: 0 };
  const requested: RequestedRun = { kind: "any", what: written, data: undefined };
  const found = findRun(requested, resolve(run.cwd, what), run, report);
  if (found?.kind === "file")
    throw new CliprpnError(
      "bad_input",
      `${what}: expected a trial or a sweep, found a file; to audit an outside model, export the questions with --export and give its answers with --answers`,
    );
  const models =
    found === undefined ? [] : resolveTrials(written, [{ ...found, run: requested }], run, report);
  if (problems.length > 0) throw invalidError("cliprpn audit", problems);
  const located = models.map(({ trials }) => ({ trials: locateTrials(trials, run) }));
  return located
    .map(({ trials }) => ({ label: trials[0]?.spec.label ?? what, trials }))
    .filter(({ trials }) => !trials.some(({ spec }) => isUpperBound(spec)));
}

function isUpperBound(spec: CompletedAttempt["spec"]): boolean {
  return spec.kind === "baseline" && spec.baseline.detector.kind === "gt_boxes";
}
