import type { EvaluatedTrial, TrialGroup } from "../contract/generated/types.ts";
import { answersDir } from "../sweep/predict-on.ts";
import type { ComparedSplit, Comparison, TrialsModel } from "./comparison.ts";
import { type ConvertedFiles, convertedOf } from "./convert-files.ts";

/** The models with answers on a split, in the order of the comparison. */
export function groupsOn(data: ComparedSplit, { models }: Comparison, files: ConvertedFiles): TrialGroup[] {
  return models.flatMap((model): TrialGroup[] => {
    if (model.kind === "trials") return [groupOfTrials(model, data)];
    const [first, ...others] = convertedOf(files, model.label, data.name).map(
      ({ sha256, folder }, position): EvaluatedTrial => ({
        trial_id: sha256.slice(0, 16),
        seed: position,
        val_acc_at_50: null,
        val_acc_by_epoch: [],
        predictions_dir: folder,
      }),
    );
    if (first === undefined) return [];
    return [
      {
        label: model.label,
        kind: "results",
        is_upper_bound: false,
        trials: [first, ...others],
        num_planned_seeds: others.length + 1,
        repeats: others.length > 0 ? model.repeats : null,
      },
    ];
  });
}

function groupOfTrials({ label, trials }: TrialsModel, data: ComparedSplit): TrialGroup {
  const [first, ...others] = trials.map((each): EvaluatedTrial => {
    const { spec, outcome } = each;
    // Chosen on val of another dataset, it was not chosen by val of this one.
    const isOwn = spec.dataset.id === data.dataset.id;
    return {
      trial_id: spec.trial_id,
      seed: spec.seed,
      val_acc_at_50: isOwn ? outcome.metrics.acc_at_50 : null,
      val_acc_by_epoch: isOwn ? outcome.epochs.map(({ val_acc_at_50 }) => val_acc_at_50) : [],
      predictions_dir: answersDir(each, data),
    };
  });
  if (first === undefined) throw new Error(`expected a trial of ${label}, found none`);
  const { spec } = trials[0] ?? {};
  return {
    label,
    kind: spec?.kind ?? "cliprpn",
    is_upper_bound: spec?.kind === "baseline" && spec.baseline.detector.kind === "gt_boxes",
    trials: [first, ...others],
    num_planned_seeds: trials.length,
  };
}
