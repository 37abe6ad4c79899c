import type {
  BaselineSettings,
  ClipRpnSpec,
  Settings,
  StoredBaseline,
  StoredSettings,
  TrialIdentity,
  TrialPlaces,
  TrialSpec,
} from "../contract/generated/types.ts";

/** What a sweep knows about one of its trials besides the trial's identity. */
export interface TrialNames {
  label: string;
  /** Null for a baseline. */
  preset: ClipRpnSpec["preset"] | null;
  /** Of a baseline: the seed that it runs with; it decides nothing. */
  seed: number;
}

/** What a trial is run, or shown, with. */
export interface TrialSources {
  /** Hash of the code that runs this kind of trial. */
  sources_sha256: string;
  /** Absolute path of the trial's own copy of a custom fusion's source. */
  fusion_source: string;
}

/**
 * The full spec of a stored trial; the inverse of `trialIdentityOf`. It never fails: the path of a detector's file that is not
 * known says so, and running the trial then fails with `not_found`.
 */
export function composeSpec(
  identity: TrialIdentity,
  { label, preset, seed }: TrialNames,
  places: TrialPlaces,
  { sources_sha256, fusion_source }: TrialSources,
): TrialSpec {
  const { trial_id, num_threads } = identity;
  const { device, cache_dir, dataset_name, dataset_root, backbone_weights } = places;
  const { id, split_by } = identity.dataset;
  const { name, weights_id } = identity.backbone;
  const common = {
    trial_id,
    sources_sha256,
    label,
    num_threads,
    device,
    dataset: { id, name: dataset_name, root: dataset_root, split_by },
    backbone: { name, weights: backbone_weights, weights_id },
    cache_dir,
  };
  if (identity.kind === "baseline") {
    const baseline = composeBaseline(identity.baseline, places);
    return { ...common, kind: "baseline", seed, baseline, limits: identity.limits };
  }
  return {
    ...common,
    kind: "cliprpn",
    preset: preset ?? "default",
    seed: identity.seed,
    settings: composeSettings(identity.settings, fusion_source),
  };
}

/**
 * Where the trials of a sweep run and find their files.
 *
 * @param common what all trials of the sweep have: any one of them, or the context of their plan.
 * @param earlier the sweep's places so far: files of detectors that are no longer asked for stay known.
 */
export function placesOf(
  { device, cache_dir, dataset, backbone }: Pick<TrialSpec, "device" | "cache_dir" | "dataset" | "backbone">,
  trials: readonly TrialSpec[],
  earlier?: Pick<TrialPlaces, "detector_files">,
): TrialPlaces {
  return {
    schema_version: 1,
    device,
    cache_dir,
    dataset_root: dataset.root,
    dataset_name: dataset.name,
    backbone_weights: backbone.weights,
    detector_files: { ...earlier?.detector_files, ...detectorFiles(trials) },
  };
}

/** Where the files of the trials' detectors lie, by the SHA-256 of their content. */
export function detectorFiles(trials: readonly TrialSpec[]): TrialPlaces["detector_files"] {
  const files = trials.flatMap((spec) => {
    const detector = spec.kind === "baseline" ? spec.baseline.detector : undefined;
    return detector !== undefined && "file" in detector && detector.sha256 !== "coco"
      ? [[detector.sha256, detector.file]]
      : [];
  });
  return Object.fromEntries(files);
}

function composeSettings({ fusion, ...settings }: StoredSettings, source: string): Settings {
  if (fusion.kind !== "file") return { ...settings, fusion };
  const { class: name, ...stored } = fusion;
  return { ...settings, fusion: { ...stored, file: `${source}:${name}` } };
}

function composeBaseline(
  { detector, ...baseline }: StoredBaseline,
  { detector_files }: TrialPlaces,
): BaselineSettings {
  if (!("sha256" in detector)) return { ...baseline, detector };
  const { sha256 } = detector;
  const missing = `missing-${sha256.slice(0, 16)}${extensions[detector.kind]}`;
  const file = sha256 === "coco" ? "coco" : (detector_files[sha256] ?? missing);
  return { ...baseline, detector: { ...detector, file } };
}

const extensions = {
  yolo: ".onnx",
  yolox: ".onnx",
  faster_rcnn: ".safetensors",
  file: ".json",
  rpn: ".safetensors",
};
