import { groupBy } from "../../base/group-by.ts";
import { canonicalJson } from "../../contract/canonical-json.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  PreparationPart,
  TrialSpec,
} from "../../contract/generated/types.ts";

/**
 * What is made before the trials run: the features of every ClipRPN, and the detections and embeddings that several baselines share.
 * What one baseline alone needs is made by its own trial, beside those in other slots.
 */
export function preparationParts(waiting: readonly TrialSpec[]): PreparationPart[] {
  const clipRpns = waiting.filter((spec): spec is ClipRpnSpec => spec.kind === "cliprpn");
  const features = [...groupBy(clipRpns, featuresKey).values()].map(
    (trials): PreparationPart => ({ make: "features", trial: withMostViews(trials) }),
  );
  const baselines = waiting.filter((spec): spec is BaselineSpec => spec.kind === "baseline");
  const sharedBoxes = sharedBy(baselines, boxesKey);
  const sharedEmbeddings = sharedBy(baselines, embeddingsKey);
  const isEmbedded = new Set(sharedEmbeddings.map(boxesKey));
  return [
    ...features,
    ...sharedBoxes
      .filter((trial) => keepsDetections(trial) && !isEmbedded.has(boxesKey(trial)))
      .map((trial): PreparationPart => ({ make: "detections", trial })),
    ...sharedEmbeddings.map((trial): PreparationPart => ({ make: "embeddings", trial })),
  ];
}

/** What decides the features of a ClipRPN, besides the number of views. */
function featuresKey({ dataset, backbone, settings }: ClipRpnSpec): string {
  return canonicalJson([dataset.id, backbone, settings.image_size_px, settings.resize]);
}

function withMostViews([first, ...others]: readonly [ClipRpnSpec, ...ClipRpnSpec[]]): ClipRpnSpec {
  return others.reduce(
    (most, trial) => (trial.settings.training.views > most.settings.training.views ? trial : most),
    first,
  );
}

function boxesKey({ dataset, baseline, limits }: BaselineSpec): string {
  const { detector, score_thresh, nms_thresh, max_boxes } = baseline;
  return canonicalJson([dataset.id, detector, score_thresh, nms_thresh, max_boxes, limits.val]);
}

function embeddingsKey(spec: BaselineSpec): string {
  return canonicalJson([boxesKey(spec), spec.backbone, spec.baseline.ranking]);
}

/** The first trial of each group of several. */
function sharedBy(trials: readonly BaselineSpec[], key: (trial: BaselineSpec) => string): BaselineSpec[] {
  return [...groupBy(trials, key).values()].flatMap(([first, second]) =>
    second === undefined ? [] : [first],
  );
}

/** Whether a baseline's boxes are computed, and stored in the cache; those of files and annotations are read. */
export function keepsDetections({ baseline: { detector } }: BaselineSpec): boolean {
  return !["file", "gt_boxes", "whole_image", "rpn"].includes(detector.kind);
}
