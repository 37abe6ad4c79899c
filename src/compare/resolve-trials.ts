import { didYouMean } from "../base/did-you-mean.ts";
import { digest } from "../contract/canonical-json.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { specOf } from "../sweep/locate-trial.ts";
import type { CompletedAttempt } from "../sweep/predict-on.ts";
import { completedTrial, reportTrials } from "../sweep/results/report-trials.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { TrialsModel } from "./comparison.ts";
import type { FoundRun } from "./find-run.ts";
import type { Report, RequestedRun, Written } from "./request.ts";

type OtherRun = Exclude<FoundRun, { kind: "file" }> & { run: RequestedRun };

/** The configurations that trials and sweeps of one name stand for: those of a whole sweep are `NAME/CONFIGURATION`. */
export function resolveTrials(
  label: Written<string>,
  runs: readonly OtherRun[],
  run: RunContext,
  report: Report,
): TrialsModel[] {
  const models = runs.flatMap((each) => {
    try {
      return each.kind === "trial" ? [trialOf(label, each)] : settingsOf(label, each, run, report);
    } catch (error) {
      if (!(error instanceof CliprpnError)) throw error;
      report(each.run.what, error.message);
      return [];
    }
  });
  const [first, ...others] = models;
  if (first === undefined || others.length === 0 || runs.length === 1) return models;
  const trials = models.flatMap((model) => model.trials);
  const other = trials.find(({ spec }) => settingsKey(spec) !== settingsKey(trials[0]?.spec));
  if (other !== undefined)
    report(
      label,
      `${label.value}: expected trials that differ in their seeds only, found also ${other.spec.label} (${other.spec.trial_id}); give each configuration a name of its own`,
    );
  const again = trials.find(
    ({ spec }, index) => trials.findIndex((each) => each.spec.trial_id === spec.trial_id) < index,
  );
  if (again !== undefined)
    report(label, `${label.value}: expected each trial once, found ${again.spec.trial_id} again`);
  return [{ ...first, label: label.value, trials }];
}

/** What decides a trial's result, without its seed. */
function settingsKey(spec: CompletedAttempt["spec"] | undefined): string {
  if (spec === undefined) return "";
  const settings = spec.kind === "cliprpn" ? spec.settings : spec.baseline;
  return digest({ kind: spec.kind, dataset: spec.dataset.id, backbone: spec.backbone, settings });
}

function trialOf(label: Written<string>, { model }: Extract<OtherRun, { kind: "trial" }>): TrialsModel {
  const { trial, attempt } = model;
  const outcome = trial.outcome(attempt);
  const spec = specOf(trial);
  if (outcome?.state !== "completed")
    throw new CliprpnError(
      "not_found",
      `${trial.folder}: expected a completed trial, found attempt ${attempt}, which is not`,
    );
  return {
    kind: "trials",
    label: label.value,
    trials: [{ spec, outcome, trial, attempt }],
    isStoredOnly: false,
    trainedOn: undefined,
  };
}

function settingsOf(
  label: Written<string>,
  { sweep, setting, run: { what } }: Extract<OtherRun, { kind: "sweep" }>,
  run: RunContext,
  report: Report,
): TrialsModel[] {
  const models = modelsOfSweep(sweep);
  if (models.length === 0) {
    report(what, `${sweep.folder}: expected at least one completed trial, found none; run the sweep first`);
    return [];
  }
  const labels = models.map((model) => model.label);
  if (setting === undefined)
    return models.length === 1
      ? models.map((model) => ({ ...model, label: label.value }))
      : models.map((model) => ({ ...model, label: `${label.value}/${model.label}` }));
  const chosen = models.find((model) => model.label === setting);
  if (chosen !== undefined) return [{ ...chosen, label: label.value }];
  report(
    what,
    `expected a configuration of ${sweep.name} with a completed trial: ${labels.join(", ")}; found ${setting} in ${run.runsDir}.${didYouMean(setting, labels)}`,
  );
  return [];
}

/** The configurations of a sweep that have a completed trial, by their labels. */
export function modelsOfSweep(sweep: SweepStore, isStoredOnly = false): TrialsModel[] {
  const { experiment, trials } = sweep.read();
  const asked = trials.flatMap(({ asked, spec }) => (asked ? [spec] : []));
  const models = new Map<string, TrialsModel>();
  for (const trial of reportTrials(sweep, asked).flatMap(completedTrial)) {
    const { label } = trial.spec;
    const model = models.get(label) ?? {
      kind: "trials",
      label,
      trials: [],
      isStoredOnly,
      trainedOn: experiment.trained_on,
    };
    model.trials.push(trial);
    models.set(label, model);
  }
  return [...models.values()];
}
