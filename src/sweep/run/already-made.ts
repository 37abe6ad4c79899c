import type { FeatureNeed, TrialSpec } from "../../contract/generated/types.ts";
import { DatasetCounts } from "../estimate/dataset-counts.ts";
import { kindOf } from "../estimate/device.ts";
import { featureNeed } from "../estimate/feature-needs.ts";
import { preparationParts } from "../prepare/preparation-parts.ts";

/**
 * Whether the cache has all of what trials share, so that no worker has to look. Only Python can tell which detections and embeddings
 * are missing: these count as not made.
 *
 * @param device as `trainingDevice`: features of other kinds of devices are other files. On this machine, a worker is warm, and looks.
 */
export function isAllMade(waiting: readonly TrialSpec[], device: string | null | undefined): boolean {
  if (device == null) return false;
  const place = { deviceKind: kindOf(device), counts: new DatasetCounts(), known: new Map() };
  return preparationParts(waiting).every(
    ({ make, trial }) =>
      make === "features" &&
      trial.kind === "cliprpn" &&
      hasAll(featureNeed(trial, trial.dataset, true, { ...place, cacheDir: trial.cache_dir })),
  );
}

function hasAll(need: FeatureNeed | undefined): boolean {
  if (need === undefined) return false;
  return need.has_maps && need.has_text && need.num_missing_views === 0 && need.num_missing_mirrored === 0;
}
