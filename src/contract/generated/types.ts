// Generated from src/contract/schema by `npm run generate`. Do not edit.
export const schema_sha256 = "5cacb47767ac9b25166895798e0c0bafb2bcec9593ebec2c7ede65ebe7260a3b";

/**
 * Where proposals come from.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Detector".
 */
export type Detector =
  | YoloDetector
  | TrainedYoloDetector
  | YoloxDetector
  | FasterRcnnDetector
  | FileDetector
  | RpnDetector
  | GtBoxesDetector
  | WholeImageDetector;
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FasterRcnnVariant".
 */
export type FasterRcnnVariant =
  "resnet50_fpn_v2" | "resnet50_fpn" | "mobilenet_v3_large_fpn" | "mobilenet_v3_large_320_fpn";
/**
 * What a trial came to: `outcome.json` in its folder, written once. The file is the truth.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialOutcome".
 */
export type TrialOutcome = CompletedOutcome | FailedOutcome;
/**
 * Every error has one of these codes; `exit_codes` in errors.ts maps each to the exit code of the process.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ErrorCode".
 */
export type ErrorCode =
  | "bad_input"
  | "contract_violation"
  | "data_invalid"
  | "device_unavailable"
  | "environment_broken"
  | "fusion_invalid"
  | "internal"
  | "interrupted"
  | "locked"
  | "loss_not_finite"
  | "no_network"
  | "no_space"
  | "not_found"
  | "out_of_memory"
  | "package_missing"
  | "python_unsuitable"
  | "timed_out"
  | "unsupported_platform"
  | "weights_mismatch"
  | "weights_missing"
  | "weights_unsafe"
  | "worker_died";
/**
 * Where sentences and boxes come from.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AnnotationSource".
 */
export type AnnotationSource = RefcocoSource | RowsSource;
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Split".
 */
export type Split = "train" | "val" | "test" | "testA" | "testB";
/**
 * Pixels of the original image, or shares of it.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BoxFormat".
 */
export type BoxFormat = "xywh" | "xyxy" | "cxcywh_norm";
/**
 * Who made the splits: the field's `umd`, `google` and `unc`, or `own` for a person's data.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SplitBy".
 */
export type SplitBy = "umd" | "google" | "unc" | "own";
/**
 * How an image is brought to a square: `squash` to it (the original), or `letterbox` with its shape kept.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Resize".
 */
export type Resize = "squash" | "letterbox";
/**
 * How sentence and image are joined.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Fusion".
 */
export type Fusion = ConcatenationFusion | CrossAttentionFusion | SwitchedFusion | FileFusion;
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MetricName".
 */
export type MetricName =
  | "acc_at_25"
  | "acc_at_50"
  | "acc_at_75"
  | "acc_at_90"
  | "macc"
  | "miou"
  | "oiou"
  | "recall_at_1"
  | "recall_at_5"
  | "recall_at_10"
  | "recall_at_100"
  | "pointing"
  | "pair_accuracy";
/**
 * Left, top, right, bottom in pixels of the original image.
 *
 * @minItems 4
 * @maxItems 4
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BoxXyxy".
 */
export type BoxXyxy = [number, number, number, number];
/**
 * Left, top, right, bottom in pixels of the original image.
 *
 * @minItems 4
 * @maxItems 4
 */
export type BoxXyxy1 = [number, number, number, number];
/**
 * Every reply: a value, or an error that is a value.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Envelope".
 */
export type Envelope = OkEnvelope | ErrorEnvelope;
/**
 * `default`: the original with its faults repaired. `reference`: the original's settings.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Preset".
 */
export type Preset = "default" | "reference";
/**
 * A fusion by name, by its three switches, or a class of your own: {"file": "my_fusion.py:MyFusion", "params": {}}.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FusionChoice".
 */
export type FusionChoice = ("concatenation" | "cross_attention" | "film" | "token_attention") | FusionObject;
/**
 * A detector by its kind, or with its files: {"kind": "yolox", "weights": "yolox_nano.onnx"}.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DetectorChoice".
 */
export type DetectorChoice = ("yolo" | "trained_yolo" | "faster_rcnn" | "gt_boxes" | "whole_picture") | DetectorObject;
/**
 * One line of journal.jsonl: what happened to the sweep, in order.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "JournalEntry".
 */
export type JournalEntry = SweepStarted | TrialStarted | TrialFinished | SweepFinished | SplitRead;
/**
 * One trial, fully resolved: Python fills in nothing. `trial_id` hashes what decides the result (settings, seed, data, weights, num_threads), never paths or devices.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialSpec".
 */
export type TrialSpec = ClipRpnSpec | BaselineSpec;
/**
 * One-way news from Python while a call runs; only for people watching.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialEvent".
 */
export type TrialEvent = ProgressEvent | EpochEvent | WarningEvent;

export interface Contract {
  [k: string]: unknown | undefined;
}
/**
 * A baseline, nothing left to default: who proposes boxes, and how CLIP ranks them.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BaselineSettings".
 */
export interface BaselineSettings {
  detector: Detector;
  /**
   * What CLIP sees of a box: the `crop` (the original), the image with all else in a `blur`, the image with a red `circle` around it, or both of `crop+blur` (ReCLIP without relations).
   */
  ranking: "crop" | "blur" | "circle" | "crop+blur";
  /**
   * Texts around the sentence, {} in its place; the vectors of several are averaged.
   *
   * @minItems 1
   * @maxItems 100
   */
  templates: [string, ...string[]];
  /**
   * Whether a box's class, as CLIP's text encoder likens it to the sentence, counts too.
   */
  category_prior: boolean;
  /**
   * Detections below this score are left out.
   */
  score_thresh: number;
  /**
   * Non-maximum suppression of a detector's boxes, within a class.
   */
  nms_thresh: number;
  /**
   * At most so many boxes of an image are ranked, the best-scoring ones.
   */
  max_boxes: number;
}
/**
 * Any YOLO that ultralytics loads.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "YoloDetector".
 */
export interface YoloDetector {
  kind: "yolo";
  /**
   * Absolute path of the weights: .onnx, or a .pt, which runs code when loaded.
   */
  file: string;
  sha256: string;
  /**
   * Side of the square that an image is letterboxed to, in pixels; null for the one that the weights were made for.
   */
  image_size_px: number | null;
}
/**
 * A small YOLO, trained on the boxes of the data set's own train split, once.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrainedYoloDetector".
 */
export interface TrainedYoloDetector {
  kind: "trained_yolo";
  /**
   * One that ultralytics has a description of: yolov8n, yolo11n.
   */
  architecture: string;
  num_epochs: number;
  image_size_px: number;
  batch_size: number;
  seed: number;
}
/**
 * YOLOX as .onnx, without its decoding.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "YoloxDetector".
 */
export interface YoloxDetector {
  kind: "yolox";
  /**
   * Absolute path.
   */
  file: string;
  sha256: string;
  /**
   * Names of the detector's classes, in its order; null for COCO's 80.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes: [string, ...string[]] | null;
}
/**
 * torchvision's Faster R-CNN.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FasterRcnnDetector".
 */
export interface FasterRcnnDetector {
  kind: "faster_rcnn";
  variant: FasterRcnnVariant;
  /**
   * Absolute path of a state_dict; `coco` for those that torchvision fetches.
   */
  file: string;
  /**
   * Of the file; `coco` for torchvision's own.
   */
  sha256: string;
  /**
   * Names of the detector's classes, in its order; null for COCO's 80.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes: [string, ...string[]] | null;
}
/**
 * Proposals that somebody else has made: COCO results JSON.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FileDetector".
 */
export interface FileDetector {
  kind: "file";
  /**
   * Absolute path.
   */
  file: string;
  sha256: string;
}
/**
 * The proposals of a trained ClipRPN, which depend on the sentence.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RpnDetector".
 */
export interface RpnDetector {
  kind: "rpn";
  /**
   * Absolute path of the model's .safetensors.
   */
  file: string;
  sha256: string;
}
/**
 * The annotated boxes of all objects of the image: the ceiling.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "GtBoxesDetector".
 */
export interface GtBoxesDetector {
  kind: "gt_boxes";
}
/**
 * One box, the image: the floor.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WholeImageDetector".
 */
export interface WholeImageDetector {
  kind: "whole_picture";
}
/**
 * What TypeScript may ask of Python: params and result of every method. Nothing is raised across: a reply is an envelope.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BridgeMethods".
 */
export interface BridgeMethods {
  hello: HelloMethod;
  run_trial: RunTrialMethod;
  index_dataset: IndexDatasetMethod;
  check_fusion: CheckFusionMethod;
  evaluate: EvaluateMethod;
  summarize: SummarizeMethod;
  ground: GroundMethod;
  import_checkpoint: ImportCheckpointMethod;
  golden: GoldenMethod;
  read_annotations: ReadAnnotationsMethod;
  export_dataset: ExportDatasetMethod;
  dataset_stats: DatasetStatsMethod;
  train_detector: TrainDetectorMethod;
  check_detector: CheckDetectorMethod;
}
export interface HelloMethod {
  params: HelloParams;
  result: HelloResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "HelloParams".
 */
export interface HelloParams {
  schema_sha256: string;
  /**
   * `auto`, cpu, cuda, cuda:I or mps; Python resolves it, and refuses one that is absent.
   */
  device: string;
  num_threads: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "HelloResult".
 */
export interface HelloResult {
  schema_sha256: string;
  environment: Environment;
  pid: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Environment".
 */
export interface Environment {
  python: string;
  torch: string;
  torchvision: string;
  open_clip: string;
  platform: string;
  device: string;
  device_name: string;
  num_threads: number;
}
export interface RunTrialMethod {
  params: RunTrialParams;
  result: RunTrialResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunTrialParams".
 */
export interface RunTrialParams {
  /**
   * Absolute path; holds spec.json, gets outcome.json.
   */
  trial_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunTrialResult".
 */
export interface RunTrialResult {
  outcome: TrialOutcome;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CompletedOutcome".
 */
export interface CompletedOutcome {
  state: "completed";
  trial_id: string;
  sources_sha256: string;
  /**
   * UTC, ISO 8601.
   */
  finished_at: string;
  /**
   * Counted from 1; chosen on val. 0 where nothing is trained.
   */
  best_epoch: number;
  epochs: Epoch[];
  metrics: Metrics;
  num_trainable_parameters: number;
  durations_ms: Durations;
  peak_memory_bytes: PeakMemory;
  environment: Environment;
  /**
   * What a reader of its figures must know, a sentence each.
   */
  notes: string[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Epoch".
 */
export interface Epoch {
  /**
   * Counted from 1.
   */
  epoch: number;
  num_epochs: number;
  /**
   * Mean over the epoch's sentences.
   */
  loss: number;
  loss_objectness: number;
  loss_box: number;
  learning_rate: number;
  val_acc_at_50: number;
  val_miou: number;
  duration_ms: number;
}
/**
 * Of the best epoch, on val.
 */
export interface Metrics {
  num_sentences: number;
  num_images: number;
  acc_at_25: number;
  acc_at_50: number;
  acc_at_75: number;
  acc_at_90: number;
  macc: number;
  miou: number;
  oiou: number;
  recall_at_1: number;
  recall_at_5: number;
  recall_at_10: number;
  recall_at_100: number;
  pointing: number;
  /**
   * Share of minimal pairs with both sentences right; null where the data has no pairs.
   */
  pair_accuracy: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Durations".
 */
export interface Durations {
  /**
   * Opening, and where need be extracting, the frozen features.
   */
  features: number;
  training: number;
  evaluation: number;
  total: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PeakMemory".
 */
export interface PeakMemory {
  /**
   * Largest resident size of the Python process so far.
   */
  process: number;
  /**
   * Largest allocation on the accelerator in this trial; null on the CPU.
   */
  device: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FailedOutcome".
 */
export interface FailedOutcome {
  state: "failed";
  trial_id: string;
  sources_sha256: string;
  finished_at: string;
  error: ErrorInfo;
  /**
   * Beside outcome.json; null where there is none.
   */
  traceback_file: string | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ErrorInfo".
 */
export interface ErrorInfo {
  code: ErrorCode;
  message: string;
}
export interface IndexDatasetMethod {
  params: IndexDatasetParams;
  result: IndexDatasetResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "IndexDatasetParams".
 */
export interface IndexDatasetParams {
  source: AnnotationSource;
  /**
   * Absolute path of a manifest.json: sizes of the images, and which have a problem; their refs are left out. Null for a set without images.
   */
  pixels_manifest: string | null;
  /**
   * Absolute path; gets images.parquet, sentences.parquet and objects.parquet.
   */
  folder: string;
}
/**
 * The original layout of RefCOCO, RefCOCO+ and RefCOCOg.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RefcocoSource".
 */
export interface RefcocoSource {
  layout: "refcoco";
  /**
   * COCO's images, objects and categories.
   */
  instances_file: string;
  /**
   * `refs(umd).p` and its like.
   */
  refs_file: string;
}
/**
 * Files with a row per sentence.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RowsSource".
 */
export interface RowsSource {
  layout: "rows";
  /**
   * JSON Lines; CSV; COCO's JSON with sentences; MDETR's finetune JSON; TransVG's index rows.
   */
  format: "jsonl" | "csv" | "coco" | "mdetr" | "transvg";
  /**
   * @minItems 1
   */
  files: [RowsFile, ...RowsFile[]];
  box_format: BoxFormat;
  columns: Columns;
  /**
   * Of the split by image, where no split is given.
   */
  split_seed: number;
}
export interface RowsFile {
  file: string;
  /**
   * The split of all its rows; null where each row says its own, or none does.
   */
  split: Split | null;
}
/**
 * Names of the columns (keys) of a row.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Columns".
 */
export interface Columns {
  image: string;
  sentence: string;
  box: string;
  split: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "IndexDatasetResult".
 */
export interface IndexDatasetResult {
  splits: SplitCounts[];
  dropped: DatasetCounts;
  split_rule: string;
  notes: string[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SplitCounts".
 */
export interface SplitCounts {
  split: Split;
  num_images: number;
  num_refs: number;
  num_sentences: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetCounts".
 */
export interface DatasetCounts {
  num_images: number;
  num_refs: number;
  num_sentences: number;
}
export interface CheckFusionMethod {
  params: CheckFusionParams;
  result: CheckFusionResult;
}
/**
 * The spec's fusion is built and shape-checked with its backbone's sizes.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckFusionParams".
 */
export interface CheckFusionParams {
  spec: ClipRpnSpec;
}
/**
 * A ClipRPN to train and to evaluate.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ClipRpnSpec".
 */
export interface ClipRpnSpec {
  kind: "cliprpn";
  trial_id: string;
  /**
   * Hash of cliprpn's Python sources and of the environment's lock; an outcome made by others is stale.
   */
  sources_sha256: string;
  /**
   * What sets this trial's setting apart, for people: `fusion=film`.
   */
  label: string;
  preset: "default" | "reference";
  seed: number;
  num_threads: number;
  device: string;
  dataset: TrialDataset;
  backbone: TrialBackbone;
  settings: Settings;
  /**
   * Absolute path of the folder for frozen features and data-set indices.
   */
  cache_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialDataset".
 */
export interface TrialDataset {
  /**
   * Hash of the annotations.
   */
  id: string;
  name: string;
  /**
   * Absolute path of the prepared data set's folder.
   */
  root: string;
  split_by: SplitBy;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialBackbone".
 */
export interface TrialBackbone {
  name: "cliprpn-tiny" | "RN50-quickgelu";
  /**
   * `shipped`, `openai` or the absolute path of a file.
   */
  weights: string;
  /**
   * `openai`, or the SHA-256 of the file.
   */
  weights_id: string;
}
/**
 * Everything about one trial that a person may vary, nothing left to default. An experiment file gives a part of it; a preset gives the rest.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Settings".
 */
export interface Settings {
  /**
   * Side of the square that an image is brought to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px: number;
  resize: Resize;
  /**
   * Side of the square frame in which anchors and boxes live during training, in pixels.
   */
  frame_size_px: number;
  /**
   * Channels after the 1x1 projection that stands before the fusion; null for no projection (the original).
   */
  neck_channels: number | null;
  fusion: Fusion;
  anchors: Anchors;
  rpn: Rpn;
  training: Training;
  limits: Limits;
}
/**
 * The original's concatenation: map and twice-repeated sentence vector, one 1x1 convolution.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ConcatenationFusion".
 */
export interface ConcatenationFusion {
  kind: "concatenation";
}
/**
 * The original's cross-attention: cells ask, the one sentence vector is key and value.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CrossAttentionFusion".
 */
export interface CrossAttentionFusion {
  kind: "cross_attention";
}
/**
 * The repaired fusion, built from three switches. `film` is pooled, multiplicative, off; `token_attention` is words, multiplicative, on.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SwitchedFusion".
 */
export interface SwitchedFusion {
  kind: "switched";
  /**
   * One vector for the sentence, or one for every word.
   */
  text: "pooled" | "words";
  /**
   * Whether text is added to the map or multiplied with it.
   */
  interaction: "additive" | "multiplicative";
  /**
   * Whether each cell knows where it is.
   */
  coordinates: "off" | "on";
}
/**
 * A person's own fusion: a class in a Python file.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FileFusion".
 */
export interface FileFusion {
  kind: "file";
  /**
   * Absolute path of the file, a colon, the class: /home/me/my_fusion.py:MyFusion.
   */
  file: string;
  /**
   * Keyword arguments of the class, finite JSON values.
   */
  params: {
    [k: string]: unknown | undefined;
  };
  source_sha256: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Anchors".
 */
export interface Anchors {
  /**
   * Whether anchors sit on cell corners (the original) or cell centres.
   */
  placement: "corner" | "center";
  /**
   * Square roots of the anchors' areas, in pixels of the frame.
   *
   * @minItems 1
   * @maxItems 16
   */
  scales_px: [number, ...number[]];
  /**
   * Height over width.
   *
   * @minItems 1
   * @maxItems 16
   */
  ratios: [number, ...number[]];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Rpn".
 */
export interface Rpn {
  /**
   * An anchor with at least this IoU is a positive; the best anchor always is.
   */
  fg_iou_thresh: number;
  /**
   * An anchor below this IoU is a negative; must not exceed fg_iou_thresh.
   */
  bg_iou_thresh: number;
  /**
   * `sampled_bce`: binary cross-entropy over sampled anchors (the original). `softmax`: cross-entropy over all anchors.
   */
  objectness_loss: "sampled_bce" | "softmax";
  /**
   * Smooth L1 on the positives, divided by the number of sampled anchors (`over_sampled`, the original) or of positives.
   */
  box_loss: "over_sampled" | "over_positives";
  box_loss_weight: number;
  /**
   * Anchors sampled per sentence for `sampled_bce`.
   */
  batch_size_per_image: number;
  /**
   * Share of positives among them, at most.
   */
  positive_fraction: number;
  /**
   * Proposals kept before non-maximum suppression, in evaluation.
   */
  pre_nms_top_n: number;
  /**
   * Proposals kept after it, in evaluation.
   */
  post_nms_top_n: number;
  nms_thresh: number;
  /**
   * Weight of the loss that sets the true object against the image's other objects of its category; 0 for none (the original).
   */
  negatives_loss_weight: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Training".
 */
export interface Training {
  num_epochs: number;
  /**
   * Sentences per step.
   */
  batch_size: number;
  /**
   * What is shuffled: every `sentence` (the original), or every `image` with its sentences together, which learns faster.
   */
  batch_by: "sentence" | "picture";
  optimizer: "adam" | "adamw";
  /**
   * The peak, where the schedule has one.
   */
  learning_rate: number;
  weight_decay: number;
  schedule: "constant" | "cosine";
  /**
   * Share of all steps in which the rate rises linearly to its peak.
   */
  warmup_fraction: number;
  /**
   * Largest norm of the gradient; null for no clipping.
   */
  grad_clip_norm: number | null;
  /**
   * bfloat16 autocast on CUDA; off elsewhere.
   */
  amp: boolean;
  /**
   * The val figure that picks the best epoch.
   */
  select_by: "acc_at_50" | "miou";
  /**
   * Augmented views of every training image, cached; 0 for none. An epoch takes each image's next one.
   */
  views: number;
}
/**
 * At most so many sentences of a split, in the data set's order; null for all.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Limits".
 */
export interface Limits {
  train: number | null;
  val: number | null;
  test: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckFusionResult".
 */
export interface CheckFusionResult {
  num_parameters: number;
}
export interface EvaluateMethod {
  params: EvaluateParams;
  result: EvaluateResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EvaluateParams".
 */
export interface EvaluateParams {
  /**
   * A trial's folder (its best epoch), or a .safetensors file with its .json beside it.
   */
  model: string;
  split: Split;
  /**
   * Null for the one that the model was trained on. On another one the trial's limits do not hold.
   */
  dataset: TrialDataset | null;
  /**
   * Absolute path; gets predictions-<split>.parquet and metrics-<split>.json.
   */
  out_dir: string;
  cache_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EvaluateResult".
 */
export interface EvaluateResult {
  metrics: Metrics1;
  predictions_file: string;
}
/**
 * One split's figures; each is defined in python/cliprpn/metrics.py. All in [0, 1].
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Metrics".
 */
export interface Metrics1 {
  num_sentences: number;
  num_images: number;
  acc_at_25: number;
  acc_at_50: number;
  acc_at_75: number;
  acc_at_90: number;
  macc: number;
  miou: number;
  oiou: number;
  recall_at_1: number;
  recall_at_5: number;
  recall_at_10: number;
  recall_at_100: number;
  pointing: number;
  /**
   * Share of minimal pairs with both sentences right; null where the data has no pairs.
   */
  pair_accuracy: number | null;
}
export interface SummarizeMethod {
  params: SummarizeParams;
  result: Summary;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SummarizeParams".
 */
export interface SummarizeParams {
  split: Split;
  /**
   * Trials of one setting, one per seed; each has predictions-<split>.parquet.
   *
   * @minItems 1
   */
  groups: [TrialGroup, ...TrialGroup[]];
  cache_dir: string;
}
export interface TrialGroup {
  label: string;
  /**
   * @minItems 1
   */
  trial_dirs: [string, ...string[]];
}
/**
 * A sweep's figures with their uncertainty: `summary-<split>.json`, written by Python, rendered by report/.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Summary".
 */
export interface Summary {
  split: Split;
  num_sentences: number;
  num_images: number;
  /**
   * Level of every interval.
   */
  confidence: number;
  /**
   * Of the bootstrap over images.
   */
  num_resamples: number;
  /**
   * Best on val first, by acc_at_50; ceilings (gt boxes) last.
   */
  settings: SettingSummary[];
  /**
   * The best setting against each other one that is no ceiling, on the same sentences.
   */
  comparisons: Comparison[];
  floors: Floor[];
  gallery: Gallery;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SettingSummary".
 */
export interface SettingSummary {
  label: string;
  trial_ids: string[];
  figures: Figure[];
  /**
   * Every figure on each kind of sentence; empty where the data have no strata.
   */
  strata: StratumSummary[];
  breakdowns: Breakdown[];
  /**
   * Mean over categories.
   */
  category_macro_acc_at_50: number;
  kind: "cliprpn" | "baseline";
  /**
   * Of a baseline; null for a ClipRPN, which ranks while it proposes.
   */
  proposals: ProposalSummary | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Figure".
 */
export interface Figure {
  metric: MetricName;
  interval: Interval;
  per_seed: SeedFigure[];
}
/**
 * Mean over seeds and its interval by bootstrap over images.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Interval".
 */
export interface Interval {
  mean: number;
  low: number;
  high: number;
}
export interface SeedFigure {
  seed: number;
  value: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StratumSummary".
 */
export interface StratumSummary {
  stratum: string;
  num_sentences: number;
  /**
   * Minimal pairs among them.
   */
  num_pairs: number;
  figures: Figure[];
}
/**
 * acc_at_50 on a part of the sentences.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Breakdown".
 */
export interface Breakdown {
  by: "stratum" | "area_tercile" | "sentence_length" | "num_same_category" | "category";
  group: string;
  num_sentences: number;
  interval: Interval;
}
/**
 * How good a baseline's boxes are, apart from how they are ranked.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ProposalSummary".
 */
export interface ProposalSummary {
  /**
   * Share of sentences with a hit among the detector's k best-scoring boxes, the sentence unknown.
   */
  recall_at: ProposalRecall[];
  best_proposal: Interval1;
  lost_by_proposals: Interval2;
  lost_by_ranking: Interval3;
  mean_num_boxes: number;
  /**
   * Images in which nothing was detected; the whole image answers for them.
   */
  num_images_without: number;
  num_sentences_without: number;
}
export interface ProposalRecall {
  k: number;
  interval: Interval;
}
/**
 * Mean over seeds and its interval by bootstrap over images.
 */
export interface Interval1 {
  mean: number;
  low: number;
  high: number;
}
/**
 * Mean over seeds and its interval by bootstrap over images.
 */
export interface Interval2 {
  mean: number;
  low: number;
  high: number;
}
/**
 * Mean over seeds and its interval by bootstrap over images.
 */
export interface Interval3 {
  mean: number;
  low: number;
  high: number;
}
/**
 * Difference of acc_at_50, `label` minus `against`, paired by sentence, resampled by image.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Comparison".
 */
export interface Comparison {
  label: string;
  against: string;
  difference: Interval;
}
/**
 * What an answer without understanding gets on this split.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Floor".
 */
export interface Floor {
  /**
   * `constant_box` is fitted on train; `blank_sentence` is the best setting with its sentence blanked.
   */
  name: "constant_box" | "whole_picture" | "blank_sentence";
  acc_at_50: Interval;
  miou: Interval;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Gallery".
 */
export interface Gallery {
  best: Case[];
  worst: Case[];
  /**
   * Minimal pairs: two cases each.
   */
  pairs: [Case, Case][];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Case".
 */
export interface Case {
  sent_id: number;
  /**
   * Absolute path.
   */
  image_file: string;
  sentence: string;
  gt_box_xyxy: BoxXyxy;
  predictions: CasePrediction[];
  /**
   * Whether the boxes lie in the image with its rotation flag (EXIF) applied.
   */
  upright: boolean;
}
export interface CasePrediction {
  label: string;
  pred_box_xyxy: BoxXyxy;
  iou: number;
}
export interface GroundMethod {
  params: GroundParams;
  result: GroundResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "GroundParams".
 */
export interface GroundParams {
  /**
   * A trial's folder, or a .safetensors file with its .json beside it.
   */
  model: string;
  sentence: string;
  /**
   * Absolute path of the manifest.json of a folder of pixels that holds the one image.
   */
  pixels_manifest: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "GroundResult".
 */
export interface GroundResult {
  pred_box_xyxy: BoxXyxy1;
  /**
   * The box's score, in [0, 1].
   */
  objectness: number;
  image_width: number;
  image_height: number;
  sentence: string;
}
export interface ImportCheckpointMethod {
  params: ImportCheckpointParams;
  result: ImportCheckpointResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ImportCheckpointParams".
 */
export interface ImportCheckpointParams {
  checkpoint_file: string;
  out_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ImportCheckpointResult".
 */
export interface ImportCheckpointResult {
  fusion: "concatenation" | "cross_attention";
  model_file: string;
  /**
   * The checkpoint's own CLIP, where it holds one.
   */
  backbone_file: string | null;
  num_parameters: number;
}
export interface GoldenMethod {
  params: GoldenParams;
  result: GoldenResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "GoldenParams".
 */
export interface GoldenParams {
  /**
   * @minItems 1
   */
  files: [string, ...string[]];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "GoldenResult".
 */
export interface GoldenResult {
  rows: GoldenRow[];
}
export interface GoldenRow {
  file: string;
  output: string;
  max_abs_diff: number;
  ok: boolean;
}
export interface ReadAnnotationsMethod {
  params: ReadAnnotationsParams;
  result: ReadAnnotationsResult;
}
/**
 * Reads and checks everything but images.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReadAnnotationsParams".
 */
export interface ReadAnnotationsParams {
  source: AnnotationSource;
  /**
   * Absolute path; gets the wanted images as JSON.
   */
  out_file: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReadAnnotationsResult".
 */
export interface ReadAnnotationsResult {
  num_pictures: number;
  splits: SplitCounts[];
}
export interface ExportDatasetMethod {
  params: ExportDatasetParams;
  result: ExportDatasetResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportDatasetParams".
 */
export interface ExportDatasetParams {
  /**
   * Folder of a prepared data set.
   */
  root: string;
  format: "jsonl" | "coco";
  box_format: BoxFormat;
  out_file: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportDatasetResult".
 */
export interface ExportDatasetResult {
  num_sentences: number;
}
export interface DatasetStatsMethod {
  params: DatasetStatsParams;
  result: DatasetStats;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetStatsParams".
 */
export interface DatasetStatsParams {
  /**
   * Folder of a prepared data set.
   */
  root: string;
  /**
   * Whether images are compared by their pixels too, which reads all of them.
   */
  hash_pixels: boolean;
}
/**
 * What a person should know of a prepared data set: `dataset show` and `dataset check` render it.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetStats".
 */
export interface DatasetStats {
  facts: PreparedDataset;
  /**
   * Of all images.
   */
  num_objects: number;
  /**
   * Images whose file name says that they are COCO's train2014.
   */
  num_coco_train2014: number;
  /**
   * Of `word_histogram`.
   */
  word_bins: WordBin[];
  /**
   * Of a box's area as a share of its image: RefCOCOg's terciles, and this set's own; null where nobody tells the images' sizes.
   */
  area_cuts: AreaCuts | null;
  splits: SplitStats[];
  /**
   * Every pair of splits.
   */
  overlaps: SplitOverlap[];
  table_checks: TableCheck[];
  /**
   * A seeded choice over splits, categories and areas, for the contact sheet.
   */
  examples: SentenceExample[];
}
/**
 * `dataset.json` of a prepared data set, written last. Beside it: images.parquet, sentences.parquet, objects.parquet, and pixels/ with a folder for each size.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparedDataset".
 */
export interface PreparedDataset {
  format_version: 1;
  /**
   * Hash of the annotations, and of the images where a person prepared it; part of a trial's identity.
   */
  id: string;
  name: string;
  split_by: SplitBy;
  source: AnnotationSource;
  annotation_files: SourceFile[];
  /**
   * Absolute path of the folder with the images; null for a set without images.
   */
  images_dir: string | null;
  /**
   * An image with more is refused.
   */
  max_pixels: number;
  /**
   * Whether links that lead out of the folder of images were followed.
   */
  follow_links: boolean;
  /**
   * Whether images that are missing or broken were left out with their refs.
   */
  allow_missing: boolean;
  /**
   * Hash of all images' names, sizes and frames, and of which have a problem: when they change, the tables are made anew.
   */
  pictures_sha256: string;
  dropped: DatasetCounts;
  splits: SplitCounts[];
  /**
   * How the sentences came to their splits.
   */
  split_rule: string;
  /**
   * Counts that are not those of the published table, a line each.
   */
  deviations: string[];
  /**
   * What is odd and was kept, a line each.
   */
  notes: string[];
  prepared_at: string;
  cliprpn_version: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SourceFile".
 */
export interface SourceFile {
  /**
   * Absolute path.
   */
  file: string;
  bytes: number;
  mtime_ms: number;
  sha256: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WordBin".
 */
export interface WordBin {
  min_words: number;
  /**
   * Inclusive; null for no end.
   */
  max_words: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AreaCuts".
 */
export interface AreaCuts {
  refcocog_low: number;
  refcocog_high: number;
  own_low: number;
  own_high: number;
}
/**
 * Shares and quantiles are over the split's sentences, unless told otherwise.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SplitStats".
 */
export interface SplitStats {
  split: Split;
  num_images: number;
  num_refs: number;
  num_sentences: number;
  words: Quantiles;
  /**
   * Sentences in each of `word_bins`.
   */
  word_histogram: number[];
  /**
   * Sentences with the word left or right.
   */
  num_left_right: number;
  num_non_ascii: number;
  /**
   * Rows whose object and sentence are those of an earlier row.
   */
  num_repeated: number;
  /**
   * Boxes' areas as shares of their images; null where nobody tells the images' sizes.
   */
  areas: AreaStats | null;
  same_category: SameCategory;
  num_categories: number;
  /**
   * Most frequent first.
   */
  top_categories: CategoryCount[];
  objects_per_image: Quantiles1;
  /**
   * Width over height, over images.
   */
  aspects: Quantiles | null;
  /**
   * What an answer without understanding gets; empty where nobody tells the images' sizes.
   */
  floors: DatasetFloor[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Quantiles".
 */
export interface Quantiles {
  min: number;
  p5: number;
  p25: number;
  p50: number;
  p75: number;
  p95: number;
  max: number;
  mean: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AreaStats".
 */
export interface AreaStats {
  quantiles: Quantiles;
  refcocog_shares: AreaShares;
  own_shares: AreaShares1;
}
/**
 * Of small, medium and large boxes by RefCOCOg's terciles.
 */
export interface AreaShares {
  small: number;
  medium: number;
  large: number;
}
/**
 * The same by the set's own terciles.
 */
export interface AreaShares1 {
  small: number;
  medium: number;
  large: number;
}
/**
 * Sentences by how many objects of the meant one's category its image has, itself included.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SameCategory".
 */
export interface SameCategory {
  one: number;
  two: number;
  three_or_more: number;
  /**
   * Nobody says what the object is.
   */
  unknown: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CategoryCount".
 */
export interface CategoryCount {
  category: string;
  num_sentences: number;
}
/**
 * Over images.
 */
export interface Quantiles1 {
  min: number;
  p5: number;
  p25: number;
  p50: number;
  p75: number;
  p95: number;
  max: number;
  mean: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetFloor".
 */
export interface DatasetFloor {
  /**
   * The whole image, or the one box that fits train best.
   */
  name: "whole_picture" | "constant_box";
  miou: number;
  acc_at_50: number;
}
/**
 * What two splits share.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SplitOverlap".
 */
export interface SplitOverlap {
  first: Split;
  second: Split;
  /**
   * Images of the second that are in the first too, by id or by file name.
   */
  num_images: number;
  /**
   * Images of the second with the prepared pixels of another one of the first; null where pixels were not looked at.
   */
  num_identical_pixels: number | null;
  num_refs: number;
  num_objects: number;
  /**
   * Sentences of the second with the image, the box and the words of one of the first.
   */
  num_sentences: number;
  /**
   * File names of a few shared images.
   */
  examples: string[];
}
/**
 * What the tables must hold.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TableCheck".
 */
export interface TableCheck {
  expected: string;
  num_checked: number;
  num_wrong: number;
  /**
   * A few of the wrong ones.
   */
  examples: string[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SentenceExample".
 */
export interface SentenceExample {
  split: Split;
  sentence: string;
  /**
   * Empty where nobody says it.
   */
  category: string;
  file_name: string;
  upright: boolean;
  width: number | null;
  height: number | null;
  box_xyxy: BoxXyxy;
}
export interface TrainDetectorMethod {
  params: TrainDetectorParams;
  result: TrainDetectorResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrainDetectorParams".
 */
export interface TrainDetectorParams {
  detector: TrainedYoloDetector;
  dataset: TrialDataset;
  cache_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrainDetectorResult".
 */
export interface TrainDetectorResult {
  /**
   * Absolute path, in the cache.
   */
  weights_file: string;
  /**
   * False when it was there already.
   */
  trained: boolean;
}
export interface CheckDetectorMethod {
  params: CheckDetectorParams;
  result: CheckDetectorResult;
}
/**
 * Opens the detector, so that what would fail its trials is found before the first.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckDetectorParams".
 */
export interface CheckDetectorParams {
  settings: BaselineSettings;
  dataset: TrialDataset;
  cache_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckDetectorResult".
 */
export interface CheckDetectorResult {
  /**
   * Null where its boxes have no class.
   */
  num_classes: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "OkEnvelope".
 */
export interface OkEnvelope {
  status: "ok";
  value: {
    [k: string]: unknown | undefined;
  };
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ErrorEnvelope".
 */
export interface ErrorEnvelope {
  status: "error";
  error: ErrorInfo;
  /**
   * For the log, never for the terminal.
   */
  traceback: string | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AreaShares".
 */
export interface AreaShares2 {
  small: number;
  medium: number;
  large: number;
}
/**
 * Every image that is referred to, in order of first mention; what Python asks for.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WantedImages".
 */
export interface WantedImages {
  pictures: WantedImage[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WantedImage".
 */
export interface WantedImage {
  image_id: number;
  /**
   * Relative to the folder of images.
   */
  file_name: string;
  /**
   * As the annotations tell it, in pixels; null where they do not.
   */
  width: number | null;
  height: number | null;
}
/**
 * `manifest.json` of a folder of pixels, written last. Image i of the wanted images is image i of all shards in a row.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PixelsManifest".
 */
export interface PixelsManifest {
  /**
   * Changes whenever the same file would give other pixels.
   */
  preprocessing_version: string;
  image_size_px: number;
  resize: Resize;
  /**
   * Hash of all shards' checksums.
   */
  pixels_id: string;
  shards: PixelShard[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PixelShard".
 */
export interface PixelShard {
  /**
   * `shard-00000.npy`: uint8 [n, image_size_px, image_size_px, 3], RGB.
   */
  file: string;
  /**
   * Of the whole file.
   */
  sha256: string;
  pictures: PreparedImage[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparedImage".
 */
export interface PreparedImage {
  file_name: string;
  /**
   * Of the file when it was decoded.
   */
  bytes: number;
  mtime_ms: number;
  /**
   * In the frame that boxes lie in.
   */
  width: number;
  height: number;
  /**
   * Whether the file's rotation flag (EXIF) was applied to reach that frame.
   */
  upright: boolean;
  /**
   * Prepared pixels per original pixel: x_prepared = x * scale_x + left_px.
   */
  scale_x: number;
  scale_y: number;
  left_px: number;
  top_px: number;
  /**
   * Why there are no pixels: missing, broken, of another size. Its row is black.
   */
  problem: string | null;
}
/**
 * An experiment file as a person writes it. `settings` and the keys of `vary` are derived from settings.schema.json by generate.ts.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Experiment".
 */
export interface Experiment {
  /**
   * Where the editor finds this schema.
   */
  $schema?: string;
  /**
   * Names the folder below runs/.
   */
  name: string;
  /**
   * What the experiment is to answer, in one sentence.
   */
  question: string;
  preset?: Preset;
  dataset?: DatasetChoice;
  backbone?: BackboneChoice;
  settings?: PartialSettings;
  vary?: Vary;
  /**
   * Further settings beside the grid of `vary`, each a list of keys to set.
   *
   * @maxItems 1000
   */
  also?: Setting[];
  /**
   * Every setting runs once with each seed. Default [0].
   *
   * @minItems 1
   * @maxItems 1000
   */
  seeds?: [number, ...number[]];
  /**
   * CPU threads per trial; part of a trial's identity, since it changes the last bits. Default 2.
   */
  num_threads?: number;
  /**
   * Figures that somebody else reports for this very run, to hold ours against.
   */
  published?: PublishedFigure[];
}
/**
 * The demo (default), a prepared data set, or a folder in RefCOCOg's own layout.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetChoice".
 */
export interface DatasetChoice {
  /**
   * `demo` is drawn on first use; any other name is a data set that `cliprpn prepare` made, unless `root` says where it is.
   */
  name?: string;
  /**
   * Folder of a prepared data set, or one with annotations/ and images/; relative to the current folder.
   */
  root?: string;
  split_by?: SplitBy;
  /**
   * Of the demo: `full`, or `small` for a quick look.
   */
  size?: "full" | "small";
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BackboneChoice".
 */
export interface BackboneChoice {
  name?: "cliprpn-tiny" | "RN50-quickgelu";
  /**
   * `shipped` (cliprpn-tiny), `openai` (fetched by open_clip) or a file.
   */
  weights?: string;
}
/**
 * Everything about one trial that a person may vary, nothing left to default. An experiment file gives a part of it; a preset gives the rest.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialSettings".
 */
export interface PartialSettings {
  /**
   * Side of the square that an image is brought to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px?: number;
  resize?: Resize;
  /**
   * Side of the square frame in which anchors and boxes live during training, in pixels.
   */
  frame_size_px?: number;
  /**
   * Channels after the 1x1 projection that stands before the fusion; null for no projection (the original).
   */
  neck_channels?: number | null;
  fusion?: FusionChoice;
  anchors?: PartialAnchors;
  rpn?: PartialRpn;
  training?: PartialTraining;
  limits?: PartialLimits;
  baseline?: PartialBaseline;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FusionObject".
 */
export interface FusionObject {
  text?: "pooled" | "words";
  interaction?: "additive" | "multiplicative";
  coordinates?: "off" | "on";
  file?: string;
  params?: {
    [k: string]: unknown | undefined;
  };
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialAnchors".
 */
export interface PartialAnchors {
  /**
   * Whether anchors sit on cell corners (the original) or cell centres.
   */
  placement?: "corner" | "center";
  /**
   * Square roots of the anchors' areas, in pixels of the frame.
   *
   * @minItems 1
   * @maxItems 16
   */
  scales_px?: [number, ...number[]];
  /**
   * Height over width.
   *
   * @minItems 1
   * @maxItems 16
   */
  ratios?: [number, ...number[]];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialRpn".
 */
export interface PartialRpn {
  /**
   * An anchor with at least this IoU is a positive; the best anchor always is.
   */
  fg_iou_thresh?: number;
  /**
   * An anchor below this IoU is a negative; must not exceed fg_iou_thresh.
   */
  bg_iou_thresh?: number;
  /**
   * `sampled_bce`: binary cross-entropy over sampled anchors (the original). `softmax`: cross-entropy over all anchors.
   */
  objectness_loss?: "sampled_bce" | "softmax";
  /**
   * Smooth L1 on the positives, divided by the number of sampled anchors (`over_sampled`, the original) or of positives.
   */
  box_loss?: "over_sampled" | "over_positives";
  box_loss_weight?: number;
  /**
   * Anchors sampled per sentence for `sampled_bce`.
   */
  batch_size_per_image?: number;
  /**
   * Share of positives among them, at most.
   */
  positive_fraction?: number;
  /**
   * Proposals kept before non-maximum suppression, in evaluation.
   */
  pre_nms_top_n?: number;
  /**
   * Proposals kept after it, in evaluation.
   */
  post_nms_top_n?: number;
  nms_thresh?: number;
  /**
   * Weight of the loss that sets the true object against the image's other objects of its category; 0 for none (the original).
   */
  negatives_loss_weight?: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialTraining".
 */
export interface PartialTraining {
  num_epochs?: number;
  /**
   * Sentences per step.
   */
  batch_size?: number;
  /**
   * What is shuffled: every `sentence` (the original), or every `image` with its sentences together, which learns faster.
   */
  batch_by?: "sentence" | "picture";
  optimizer?: "adam" | "adamw";
  /**
   * The peak, where the schedule has one.
   */
  learning_rate?: number;
  weight_decay?: number;
  schedule?: "constant" | "cosine";
  /**
   * Share of all steps in which the rate rises linearly to its peak.
   */
  warmup_fraction?: number;
  /**
   * Largest norm of the gradient; null for no clipping.
   */
  grad_clip_norm?: number | null;
  /**
   * bfloat16 autocast on CUDA; off elsewhere.
   */
  amp?: boolean;
  /**
   * The val figure that picks the best epoch.
   */
  select_by?: "acc_at_50" | "miou";
  /**
   * Augmented views of every training image, cached; 0 for none. An epoch takes each image's next one.
   */
  views?: number;
}
/**
 * At most so many sentences of a split, in the data set's order; null for all.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialLimits".
 */
export interface PartialLimits {
  train?: number | null;
  val?: number | null;
  test?: number | null;
}
/**
 * A baseline, nothing left to default: who proposes boxes, and how CLIP ranks them.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialBaseline".
 */
export interface PartialBaseline {
  detector?: DetectorChoice;
  /**
   * What CLIP sees of a box: the `crop` (the original), the image with all else in a `blur`, the image with a red `circle` around it, or both of `crop+blur` (ReCLIP without relations).
   */
  ranking?: "crop" | "blur" | "circle" | "crop+blur";
  /**
   * Texts around the sentence, {} in its place; the vectors of several are averaged.
   *
   * @minItems 1
   * @maxItems 100
   */
  templates?: [string, ...string[]];
  /**
   * Whether a box's class, as CLIP's text encoder likens it to the sentence, counts too.
   */
  category_prior?: boolean;
  /**
   * Detections below this score are left out.
   */
  score_thresh?: number;
  /**
   * Non-maximum suppression of a detector's boxes, within a class.
   */
  nms_thresh?: number;
  /**
   * At most so many boxes of an image are ranked, the best-scoring ones.
   */
  max_boxes?: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DetectorObject".
 */
export interface DetectorObject {
  kind: "yolo" | "trained_yolo" | "yolox" | "faster_rcnn" | "file" | "rpn" | "gt_boxes" | "whole_picture";
  /**
   * Of yolo, yolox and faster_rcnn: a file, or a name that is looked for in weights/.
   */
  weights?: string;
  /**
   * Of file: COCO results JSON.
   */
  file?: string;
  /**
   * Of rpn: a trial's folder, the beginning of its id, or a .safetensors file.
   */
  model?: string;
  /**
   * Of yolox and faster_rcnn: names of the classes, in the detector's order, where they are not COCO's.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes?: [string, ...string[]];
  variant?: FasterRcnnVariant;
  /**
   * Of yolo and trained_yolo.
   */
  image_size_px?: number;
  /**
   * Of trained_yolo.
   */
  num_epochs?: number;
}
/**
 * Dotted keys and the values each takes; every combination is a setting.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Vary".
 */
export interface Vary {
  /**
   * @minItems 1
   * @maxItems 1000
   */
  preset?: [Preset, ...Preset[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Side of the square that an image is brought to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  resize?: [Resize, ...Resize[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Side of the square frame in which anchors and boxes live during training, in pixels.
   */
  frame_size_px?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Channels after the 1x1 projection that stands before the fusion; null for no projection (the original).
   */
  neck_channels?: [number | null, ...(number | null)[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  fusion?: [FusionChoice, ...FusionChoice[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Whether anchors sit on cell corners (the original) or cell centres.
   */
  "anchors.placement"?: ["corner" | "center", ...("corner" | "center")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "anchors.scales_px"?: [[number, ...number[]], ...[number, ...number[]][]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "anchors.ratios"?: [[number, ...number[]], ...[number, ...number[]][]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: An anchor with at least this IoU is a positive; the best anchor always is.
   */
  "rpn.fg_iou_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: An anchor below this IoU is a negative; must not exceed fg_iou_thresh.
   */
  "rpn.bg_iou_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: `sampled_bce`: binary cross-entropy over sampled anchors (the original). `softmax`: cross-entropy over all anchors.
   */
  "rpn.objectness_loss"?: ["sampled_bce" | "softmax", ...("sampled_bce" | "softmax")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Smooth L1 on the positives, divided by the number of sampled anchors (`over_sampled`, the original) or of positives.
   */
  "rpn.box_loss"?: ["over_sampled" | "over_positives", ...("over_sampled" | "over_positives")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "rpn.box_loss_weight"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Anchors sampled per sentence for `sampled_bce`.
   */
  "rpn.batch_size_per_image"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Share of positives among them, at most.
   */
  "rpn.positive_fraction"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Proposals kept before non-maximum suppression, in evaluation.
   */
  "rpn.pre_nms_top_n"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Proposals kept after it, in evaluation.
   */
  "rpn.post_nms_top_n"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "rpn.nms_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Weight of the loss that sets the true object against the image's other objects of its category; 0 for none (the original).
   */
  "rpn.negatives_loss_weight"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "training.num_epochs"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Sentences per step.
   */
  "training.batch_size"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: What is shuffled: every `sentence` (the original), or every `image` with its sentences together, which learns faster.
   */
  "training.batch_by"?: ["sentence" | "picture", ...("sentence" | "picture")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "training.optimizer"?: ["adam" | "adamw", ...("adam" | "adamw")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: The peak, where the schedule has one.
   */
  "training.learning_rate"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "training.weight_decay"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "training.schedule"?: ["constant" | "cosine", ...("constant" | "cosine")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Share of all steps in which the rate rises linearly to its peak.
   */
  "training.warmup_fraction"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Largest norm of the gradient; null for no clipping.
   */
  "training.grad_clip_norm"?: [number | null, ...(number | null)[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: bfloat16 autocast on CUDA; off elsewhere.
   */
  "training.amp"?: [boolean, ...boolean[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: The val figure that picks the best epoch.
   */
  "training.select_by"?: ["acc_at_50" | "miou", ...("acc_at_50" | "miou")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Augmented views of every training image, cached; 0 for none. An epoch takes each image's next one.
   */
  "training.views"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "limits.train"?: [number | null, ...(number | null)[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "limits.val"?: [number | null, ...(number | null)[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "limits.test"?: [number | null, ...(number | null)[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "fusion.text"?: ["pooled" | "words", ...("pooled" | "words")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "fusion.interaction"?: ["additive" | "multiplicative", ...("additive" | "multiplicative")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "fusion.coordinates"?: ["off" | "on", ...("off" | "on")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "baseline.detector"?: [DetectorChoice, ...DetectorChoice[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: What CLIP sees of a box: the `crop` (the original), the image with all else in a `blur`, the image with a red `circle` around it, or both of `crop+blur` (ReCLIP without relations).
   */
  "baseline.ranking"?: ["crop" | "blur" | "circle" | "crop+blur", ...("crop" | "blur" | "circle" | "crop+blur")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "baseline.templates"?: [[string, ...string[]], ...[string, ...string[]][]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Whether a box's class, as CLIP's text encoder likens it to the sentence, counts too.
   */
  "baseline.category_prior"?: [boolean, ...boolean[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Detections below this score are left out.
   */
  "baseline.score_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Non-maximum suppression of a detector's boxes, within a class.
   */
  "baseline.nms_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: At most so many boxes of an image are ranked, the best-scoring ones.
   */
  "baseline.max_boxes"?: [number, ...number[]];
}
/**
 * Dotted keys and their values.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Setting".
 */
export interface Setting {
  preset?: Preset;
  /**
   * Side of the square that an image is brought to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px?: number;
  resize?: Resize;
  /**
   * Side of the square frame in which anchors and boxes live during training, in pixels.
   */
  frame_size_px?: number;
  /**
   * Channels after the 1x1 projection that stands before the fusion; null for no projection (the original).
   */
  neck_channels?: number | null;
  fusion?: FusionChoice;
  /**
   * Whether anchors sit on cell corners (the original) or cell centres.
   */
  "anchors.placement"?: "corner" | "center";
  /**
   * Square roots of the anchors' areas, in pixels of the frame.
   *
   * @minItems 1
   * @maxItems 16
   */
  "anchors.scales_px"?: [number, ...number[]];
  /**
   * Height over width.
   *
   * @minItems 1
   * @maxItems 16
   */
  "anchors.ratios"?: [number, ...number[]];
  /**
   * An anchor with at least this IoU is a positive; the best anchor always is.
   */
  "rpn.fg_iou_thresh"?: number;
  /**
   * An anchor below this IoU is a negative; must not exceed fg_iou_thresh.
   */
  "rpn.bg_iou_thresh"?: number;
  /**
   * `sampled_bce`: binary cross-entropy over sampled anchors (the original). `softmax`: cross-entropy over all anchors.
   */
  "rpn.objectness_loss"?: "sampled_bce" | "softmax";
  /**
   * Smooth L1 on the positives, divided by the number of sampled anchors (`over_sampled`, the original) or of positives.
   */
  "rpn.box_loss"?: "over_sampled" | "over_positives";
  "rpn.box_loss_weight"?: number;
  /**
   * Anchors sampled per sentence for `sampled_bce`.
   */
  "rpn.batch_size_per_image"?: number;
  /**
   * Share of positives among them, at most.
   */
  "rpn.positive_fraction"?: number;
  /**
   * Proposals kept before non-maximum suppression, in evaluation.
   */
  "rpn.pre_nms_top_n"?: number;
  /**
   * Proposals kept after it, in evaluation.
   */
  "rpn.post_nms_top_n"?: number;
  "rpn.nms_thresh"?: number;
  /**
   * Weight of the loss that sets the true object against the image's other objects of its category; 0 for none (the original).
   */
  "rpn.negatives_loss_weight"?: number;
  "training.num_epochs"?: number;
  /**
   * Sentences per step.
   */
  "training.batch_size"?: number;
  /**
   * What is shuffled: every `sentence` (the original), or every `image` with its sentences together, which learns faster.
   */
  "training.batch_by"?: "sentence" | "picture";
  "training.optimizer"?: "adam" | "adamw";
  /**
   * The peak, where the schedule has one.
   */
  "training.learning_rate"?: number;
  "training.weight_decay"?: number;
  "training.schedule"?: "constant" | "cosine";
  /**
   * Share of all steps in which the rate rises linearly to its peak.
   */
  "training.warmup_fraction"?: number;
  /**
   * Largest norm of the gradient; null for no clipping.
   */
  "training.grad_clip_norm"?: number | null;
  /**
   * bfloat16 autocast on CUDA; off elsewhere.
   */
  "training.amp"?: boolean;
  /**
   * The val figure that picks the best epoch.
   */
  "training.select_by"?: "acc_at_50" | "miou";
  /**
   * Augmented views of every training image, cached; 0 for none. An epoch takes each image's next one.
   */
  "training.views"?: number;
  "limits.train"?: number | null;
  "limits.val"?: number | null;
  "limits.test"?: number | null;
  "fusion.text"?: "pooled" | "words";
  "fusion.interaction"?: "additive" | "multiplicative";
  "fusion.coordinates"?: "off" | "on";
  "baseline.detector"?: DetectorChoice;
  /**
   * What CLIP sees of a box: the `crop` (the original), the image with all else in a `blur`, the image with a red `circle` around it, or both of `crop+blur` (ReCLIP without relations).
   */
  "baseline.ranking"?: "crop" | "blur" | "circle" | "crop+blur";
  /**
   * Texts around the sentence, {} in its place; the vectors of several are averaged.
   *
   * @minItems 1
   * @maxItems 100
   */
  "baseline.templates"?: [string, ...string[]];
  /**
   * Whether a box's class, as CLIP's text encoder likens it to the sentence, counts too.
   */
  "baseline.category_prior"?: boolean;
  /**
   * Detections below this score are left out.
   */
  "baseline.score_thresh"?: number;
  /**
   * Non-maximum suppression of a detector's boxes, within a class.
   */
  "baseline.nms_thresh"?: number;
  /**
   * At most so many boxes of an image are ranked, the best-scoring ones.
   */
  "baseline.max_boxes"?: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PublishedFigure".
 */
export interface PublishedFigure {
  metric: "acc_at_50" | "miou";
  split: "val" | "test" | "testA" | "testB";
  low: number;
  high: number;
  source: string;
  /**
   * Whether anyone has run it here and landed in the band.
   */
  verified: boolean;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepStarted".
 */
export interface SweepStarted {
  type: "sweep_started";
  at: string;
  num_trials: number;
  command: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialStarted".
 */
export interface TrialStarted {
  type: "trial_started";
  at: string;
  trial_id: string;
  slot: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialFinished".
 */
export interface TrialFinished {
  type: "trial_finished";
  at: string;
  trial_id: string;
  state: "completed" | "pruned" | "failed" | "interrupted";
  duration_ms: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepFinished".
 */
export interface SweepFinished {
  type: "sweep_finished";
  at: string;
  num_completed: number;
  num_failed: number;
}
/**
 * Somebody looked at a split; the report counts the looks at test.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SplitRead".
 */
export interface SplitRead {
  type: "split_read";
  at: string;
  split: Split;
  command: string;
}
/**
 * plan.json in a sweep's folder: what the sweep is, and what it was made from.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredPlan".
 */
export interface StoredPlan {
  name: string;
  question: string;
  /**
   * Of the resolved experiment; names the folder together with `name`.
   */
  hash: string;
  published: PublishedFigure[];
  source: PlanSource;
  trials: TrialSpec[];
}
/**
 * The experiment file and the changes to it, as typed.
 */
export interface PlanSource {
  file: string;
  sets: string[];
}
/**
 * A detector and a ranking to evaluate; nothing is trained, so one run stands for every seed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BaselineSpec".
 */
export interface BaselineSpec {
  kind: "baseline";
  trial_id: string;
  /**
   * Hash of cliprpn's Python sources and of the environment's lock; an outcome made by others is stale.
   */
  sources_sha256: string;
  /**
   * What sets this trial's setting apart, for people: `fusion=film`.
   */
  label: string;
  seed: number;
  num_threads: number;
  device: string;
  dataset: TrialDataset;
  backbone: TrialBackbone;
  baseline: BaselineSettings;
  limits: Limits;
  /**
   * Absolute path of the folder for frozen features and data-set indices.
   */
  cache_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ProgressEvent".
 */
export interface ProgressEvent {
  type: "progress";
  phase:
    | "index"
    | "image_features"
    | "text_features"
    | "training"
    | "evaluation"
    | "detector_training"
    | "detections"
    | "crops";
  done: number;
  total: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EpochEvent".
 */
export interface EpochEvent {
  type: "epoch";
  epoch: Epoch;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WarningEvent".
 */
export interface WarningEvent {
  type: "warning";
  message: string;
}
