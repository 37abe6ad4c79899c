import type {
  BaselineSettings,
  Seeds,
  Settings,
  SwitchedFusion,
  TrainedYoloDetector,
} from "../contract/generated/types.ts";

export type PresetName = "default" | "reference";

/** Fusions with a name; `film` and `token_attention` are two combinations of the three switches. */
export const namedFusions = {
  concatenation: { kind: "concatenation" },
  cross_attention: { kind: "cross_attention" },
  film: { kind: "switched", text: "pooled", interaction: "multiplicative", coordinates: "off" },
  token_attention: { kind: "switched", text: "words", interaction: "multiplicative", coordinates: "on" },
} as const satisfies Record<string, Settings["fusion"]>;

const tokenAttention: SwitchedFusion = namedFusions.token_attention;

/** The settings of ClipRPN (Trento), including its modeling errors: corner anchors, sampled losses, no neck. */
const reference: Settings = {
  image_size_px: 224,
  resize: "squash",
  frame_size_px: 640,
  neck_channels: null,
  fusion: namedFusions.cross_attention,
  anchors: { placement: "corner", scales_px: [32, 64, 128, 256, 512], ratios: [0.5, 1, 2] },
  rpn: {
    fg_iou_thresh: 0.7,
    bg_iou_thresh: 0.2,
    objectness_loss: "sampled_bce",
    box_loss: "over_sampled",
    box_loss_weight: 1,
    batch_size_per_image: 256,
    positive_fraction: 0.5,
    // The original's 100 leaves about 75 boxes to Recall@100. No best box depends on it.
    pre_nms_top_n: 1000,
    post_nms_top_n: 100,
    nms_thresh: 0.7,
    negatives_loss_weight: 0,
  },
  training: {
    num_epochs: 30,
    batch_size: 50,
    batch_by: "sentence",
    optimizer: "adam",
    learning_rate: 2.708e-4,
    weight_decay: 0,
    schedule: "constant",
    warmup_fraction: 0,
    grad_clip_norm: null,
    precision: "fp32",
    deterministic: true,
    cuda_graphs: false,
    select_by: "miou",
    views: 0,
  },
  limits: { train: null, val: null, test: null },
};

/** ClipRPN (Trento) with its errors corrected: centered anchors of useful sizes, losses over all anchors and positives. */
const corrected: Settings = {
  ...reference,
  neck_channels: 256,
  fusion: tokenAttention,
  anchors: { placement: "center", scales_px: [96, 144, 208, 304, 448], ratios: [0.5, 1, 2] },
  rpn: {
    ...reference.rpn,
    fg_iou_thresh: 0.5,
    bg_iou_thresh: 0.4,
    objectness_loss: "softmax",
    box_loss: "over_positives",
  },
  training: {
    num_epochs: 12,
    batch_size: 50,
    batch_by: "image",
    optimizer: "adamw",
    learning_rate: 1e-3,
    weight_decay: 0.01,
    schedule: "cosine",
    warmup_fraction: 0.1,
    grad_clip_norm: 1,
    precision: "auto",
    deterministic: true,
    cuda_graphs: false,
    select_by: "acc_at_50",
    views: 0,
  },
};

export const presets: Record<PresetName, Settings> = { default: corrected, reference };

/**
 * CPU threads of a trial, whatever the machine has: the number changes the last bits of the results. With one, a machine is used by
 * as many trials at the same time as it has cores. Measured on two idle cores: two trials in 75 s, with two threads one after the
 * other in 85 s; on busy cores four in 192 s instead of 339 s.
 */
export const defaultNumThreads = 1;

/** The default of earlier versions. */
export const formerNumThreads = 2;

/** The seeds of an experiment that names none. */
export const defaultSeeds: Seeds = [0];

/** The significance level of an experiment that declares none. */
export const defaultAlpha = 0.05;

/** Crops are ranked as in ClipRPN (Trento), with YOLOv5's default thresholds; the experiment chooses the detector. */
export const baselineDefaults: Omit<BaselineSettings, "detector"> = {
  ranking: "crop",
  templates: ["{}"],
  category_prior: false,
  score_thresh: 0.25,
  nms_thresh: 0.45,
  max_boxes: 100,
};

/** A YOLO that trains on the demo's boxes in a few minutes on a CPU. */
export const trainedYolo: TrainedYoloDetector = {
  kind: "trained_yolo",
  architecture: "yolov8p",
  num_epochs: 6,
  image_size_px: 160,
  batch_size: 16,
  seed: 0,
};

/** The keys directly in `settings`: groups, and settings without a group. */
export const settingGroups: string[] = [...Object.keys(corrected), "baseline"];

/** All settings of an experiment, with dots: `training.num_epochs`. */
export const allSettingKeys: string[] = [
  ...Object.entries(corrected).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && key !== "fusion"
      ? Object.keys(value).map((inner) => `${key}.${inner}`)
      : [key],
  ),
  ...["detector", ...Object.keys(baselineDefaults)].map((key) => `baseline.${key}`),
];
