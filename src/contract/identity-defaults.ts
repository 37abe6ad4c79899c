import type { StoredBaseline, StoredDetector, StoredFusion, StoredSettings } from "./generated/types.ts";

/**
 * The values that a trial's id leaves out: the id hashes only what differs from them.
 *
 * Frozen: a value never changes, whatever the presets become, or the ids of all finished trials would change. A new key is
 * added here with the value that held before the key existed, so that it changes no id, and trials that were stored without
 * it can be read.
 */
export const identityDefaults = {
  num_threads: 2,
  settings: {
    image_size_px: 224,
    resize: "squash",
    frame_size_px: 640,
    neck_channels: 256,
    anchors: { placement: "center", scales_px: [96, 144, 208, 304, 448], ratios: [0.5, 1, 2] },
    rpn: {
      fg_iou_thresh: 0.5,
      bg_iou_thresh: 0.4,
      objectness_loss: "softmax",
      box_loss: "over_positives",
      box_loss_weight: 1,
      batch_size_per_image: 256,
      positive_fraction: 0.5,
      pre_nms_top_n: 100,
      post_nms_top_n: 100,
      nms_thresh: 0.7,
      negatives_loss_weight: 0,
    },
    training: {
      num_epochs: 2,
      batch_size: 50,
      batch_by: "image",
      optimizer: "adamw",
      learning_rate: 0.001,
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
    limits: { train: null, val: null, test: null },
  } satisfies Omit<StoredSettings, "fusion">,
  baseline: {
    ranking: "crop",
    templates: ["{}"],
    category_prior: false,
    score_thresh: 0.25,
    nms_thresh: 0.45,
    max_boxes: 100,
  } satisfies Omit<StoredBaseline, "detector">,
  limits: { train: null, val: null, test: null },
  /** The fusion that is left out, compared as a whole. */
  fusion: { kind: "switched", text: "words", interaction: "multiplicative", coordinates: "on" },
  /** By kind of fusion: keys that were added after the kind. The other keys are part of the id, whatever their values. */
  fusions: {
    concatenation: {},
    cross_attention: {},
    switched: {},
    file: {},
  } satisfies Record<StoredFusion["kind"], object>,
  /** By kind of detector: keys that were added after the kind. The other keys are part of the id, whatever their values. */
  detectors: {
    yolo: { classes: null },
    trained_yolo: {},
    yolox: {},
    faster_rcnn: {},
    file: { box_format: null, score_max: null, category_ids: null },
    rpn: {},
    gt_boxes: {},
    whole_image: {},
  } satisfies Record<StoredDetector["kind"], object>,
} as const;
