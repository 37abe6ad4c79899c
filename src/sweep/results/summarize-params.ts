import type {
  EvaluatedTrial,
  StoredExperiment,
  SummarizeParams,
  TrialGroup,
  TrialSpec,
} from "../../contract/generated/types.ts";
import { isUpperBound } from "../../contract/trial-identity.ts";
import { defaultAlpha } from "../../experiment/presets.ts";
import { type AnsweredSplit, answersDir, type CompletedAttempt } from "../predict-on.ts";

/** The trials by configuration, in the order of the plan. */
export function groupsOf(
  [first, ...others]: [CompletedAttempt, ...CompletedAttempt[]],
  target: AnsweredSplit,
  asked: readonly TrialSpec[],
): [TrialGroup, ...TrialGroup[]] {
  const numPlanned = new Map<string, number>();
  for (const { label } of asked) numPlanned.set(label, (numPlanned.get(label) ?? 0) + 1);
  const groupOf = (trial: CompletedAttempt): TrialGroup => newGroup(trial, target, numPlanned);
  const head = groupOf(first);
  const groups = new Map([[head.label, head]]);
  for (const trial of others) {
    const group = groups.get(trial.spec.label);
    if (group === undefined) groups.set(trial.spec.label, groupOf(trial));
    else group.trials.push(evaluated(trial, target));
  }
  return [head, ...[...groups.values()].slice(1)];
}

/** The group of a configuration, with its first trial. */
function newGroup(
  trial: CompletedAttempt,
  target: AnsweredSplit,
  numPlanned: Map<string, number>,
): TrialGroup {
  const { spec } = trial;
  return {
    label: spec.label,
    kind: spec.kind,
    is_upper_bound: isUpperBound(spec),
    num_planned_seeds: numPlanned.get(spec.label) ?? 1,
    trials: [evaluated(trial, target)],
  };
}

function evaluated(each: CompletedAttempt, target: AnsweredSplit): EvaluatedTrial {
  const { spec, outcome } = each;
  return {
    trial_id: spec.trial_id,
    seed: spec.seed,
    val_acc_at_50: outcome.metrics.acc_at_50,
    val_acc_by_epoch: outcome.epochs.map(({ val_acc_at_50 }) => val_acc_at_50),
    predictions_dir: answersDir(each, target),
  };
}

/** How configurations are compared; sweeps of earlier versions declare nothing. */
export function comparisonRules({
  baseline,
  smallest_difference: points,
  alpha = defaultAlpha,
}: StoredExperiment): Pick<SummarizeParams, "baseline" | "smallest_difference" | "alpha"> {
  const smallest_difference = points === undefined ? null : points / 100;
  return { baseline: baseline ?? null, smallest_difference, alpha };
}
