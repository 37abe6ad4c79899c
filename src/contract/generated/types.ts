// Generated from src/contract/schema by `npm run generate`. Do not edit.
export const schema_sha256 = "a794b30e7b815d474fd8e8b4dacec0696994950d273e8ee8e855e457c19d9dcd";

/**
 * Rows with named columns (CSV, TSV, JSON Lines, JSON, Parquet); COCO results; the outputs of MDETR and of TransVG; sample logs of lmms-eval; tables of VLMEvalKit; result JSON of InternVL, Qwen-VL and VLM-R1.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AnswerFormat".
 */
export type AnswerFormat =
  "table" | "coco" | "mdetr" | "transvg" | "lmms_eval" | "vlmevalkit" | "internvl" | "qwen" | "vlm_r1";
/**
 * Pixels of the frame, normalized coordinates (`_norm`), or 0 to 1000 in both directions (`_1000`).
 */
export type AnswerBoxFormat =
  "xyxy" | "xyxy_norm" | "xyxy_1000" | "xywh" | "xywh_norm" | "xywh_1000" | "cxcywh" | "cxcywh_norm" | "cxcywh_1000";
/**
 * The image that coordinates refer to, in pixels unless it is the original or padded: the original; one of a fixed size; one whose longer or shorter side has a fixed length; one as Qwen-VL resizes it (sides are multiples of `factor`, the area is from min_pixels to max_pixels); one whose size stands in each row; or a square into which the image is padded.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BoxFrame".
 */
export type BoxFrame =
  OriginalFrame | FixedFrame | LongSideFrame | ShortSideFrame | SmartResizeFrame | ColumnsFrame | PaddedFrame;
/**
 * What differs between several files of one model: training with another seed, decoding again, or another prompt.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Repeats".
 */
export type Repeats = "training_seed" | "decoding" | "prompt";
/**
 * Names of the datasets that weights, or the model that made a file of boxes, were trained on, such as `COCO train2017`, `GoldG` or `Visual Genome`; ["none"] for no images at all. Shown in the report with the images that they share with the dataset; no part of a trial's identity.
 *
 * @minItems 1
 * @maxItems 50
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrainedOn".
 */
export type TrainedOn = [string, ...string[]];
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Split".
 */
export type Split = "train" | "val" | "test" | "testA" | "testB";
/**
 * What an interval is about: `procedure` is training again with other seeds, on new images; `checkpoints` is these trained models (or a model that trains nothing) on new images.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Population".
 */
export type Population = "procedure" | "checkpoints";
/**
 * `blank`: no words. `shuffled`: in a random order. `reversed`: from the last to the first. `content_words`: without function words. `dropped_word`: without one word, each in turn. `swapped_side`, `swapped_color`, `swapped_number`: left for right, another color, another number. `other_expression`: one of another object of the same image.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ChangeKind".
 */
export type ChangeKind =
  | "blank"
  | "shuffled"
  | "reversed"
  | "content_words"
  | "dropped_word"
  | "swapped_side"
  | "swapped_color"
  | "swapped_number"
  | "other_expression";
/**
 * Left, top, right, bottom, in pixels of the original image.
 *
 * @minItems 4
 * @maxItems 4
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BoxXyxy".
 */
export type BoxXyxy = [number, number, number, number];
/**
 * Author of the splits: `umd`, `google` or `unc` for published splits, `own` for custom data.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SplitBy".
 */
export type SplitBy = "umd" | "google" | "unc" | "own";
/**
 * The source of the proposals.
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
 * One fully resolved trial: Python adds no defaults. `trial_id` is a hash of everything that determines the result (settings, seed, data, weights, num_threads), never of paths or devices.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialSpec".
 */
export type TrialSpec = ClipRpnSpec | BaselineSpec;
/**
 * How an image is resized to a square: `squash` (as in ClipRPN (Trento)), or `letterbox`, which keeps the aspect ratio.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Resize".
 */
export type Resize = "squash" | "letterbox";
/**
 * How the features of the referring expression and the image are fused.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Fusion".
 */
export type Fusion = ConcatenationFusion | CrossAttentionFusion | SwitchedFusion | FileFusion;
/**
 * The trained models that each trial keeps: those of its best and its last epoch (`all`, the default), that of its best epoch (`best`), or none (`none`). Results and predictions are always kept.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "KeepModels".
 */
export type KeepModels = "all" | "best" | "none";
/**
 * The outcome of one attempt at a trial: `outcome.json` in the attempt's folder, written last and once.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialOutcome".
 */
export type TrialOutcome = CompletedOutcome | FailedOutcome;
/**
 * The code of an error; errors.ts maps each code to the exit code of the process.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ErrorCode".
 */
export type ErrorCode =
  | "bad_input"
  | "canceled"
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
  | "not_deterministic"
  | "not_found"
  | "out_of_memory"
  | "package_missing"
  | "pruned"
  | "python_unsuitable"
  | "timed_out"
  | "unsupported_platform"
  | "weights_mismatch"
  | "weights_missing"
  | "weights_unsafe"
  | "worker_died"
  | "worker_killed";
/**
 * One fully resolved trial: Python adds no defaults. `trial_id` is a hash of everything that determines the result (settings, seed, data, weights, num_threads), never of paths or devices.
 */
export type TrialSpec1 = ClipRpnSpec | BaselineSpec;
/**
 * The source of the referring expressions and boxes.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AnnotationSource".
 */
export type AnnotationSource = RefcocoSource | RowsSource;
/**
 * Files with the ids of the expressions to keep, each for all expressions or for those of a split; absent if all are kept.
 *
 * @minItems 1
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Only".
 */
export type Only = [RowsFile, ...RowsFile[]] | null;
/**
 * True if boxes that extend past their image are clipped to it; absent if they are problems.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ClipBoxes".
 */
export type ClipBoxes = boolean | null;
/**
 * True if boxes are read in the given format even if nearly all fit another one better; absent if that is a problem.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ForceBoxFormat".
 */
export type ForceBoxFormat = boolean | null;
/**
 * True if invalid rows are left out; absent if they are problems.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AllowInvalid".
 */
export type AllowInvalid = boolean | null;
/**
 * Frame of the boxes of images with an EXIF rotation: `upright` as viewers show them, or `stored` as the file stores the pixels. Absent: the size in the annotations tells; without one, upright.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Orientation".
 */
export type Orientation = "upright" | "stored" | null;
/**
 * Format of the boxes: in pixels of the original image, in normalized coordinates (`_norm`), or from 0 to 1000 in both directions (`_1000`).
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BoxFormat".
 */
export type BoxFormat = "xywh" | "xyxy" | "cxcywh_norm" | "xywh_norm" | "xyxy_norm" | "xywh_1000" | "xyxy_1000";
/**
 * A published collection of images; `coco` for an image of COCO whose split is unknown.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ImageOrigin".
 */
export type ImageOrigin =
  | "coco_train2014"
  | "coco_val2014"
  | "coco_train2017"
  | "coco_val2017"
  | "coco"
  | "visual_genome"
  | "flickr30k"
  | "objects365"
  | "open_images"
  | "other";
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
 * `area_tercile` are terciles of this split, `area_tercile_refcocog` those of RefCOCOg (9 % and 20 % of the image). `reviewed`: the expressions of a list.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SubsetKind".
 */
export type SubsetKind =
  "stratum" | "area_tercile" | "area_tercile_refcocog" | "sentence_length" | "num_same_category" | "reviewed";
/**
 * Exclusive classes of an answer, defined in figures/error_classes.py: `hit` is an IoU of at least 0.5; `no_answer` an empty box, or a detector that found nothing; the others are about the annotated object of the image that the answer overlaps most. `unknown`: the dataset does not tell.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ErrorClassName".
 */
export type ErrorClassName =
  "hit" | "wrong_category" | "wrong_instance" | "loose_box" | "background" | "no_answer" | "unknown";
/**
 * `plus_one_pixel`: boxes include their last pixel, as in Fast R-CNN's code. `above`: an IoU above 0.5, not at least, as in VLM-R1's. `rounded`: predictions rounded to whole pixels.
 */
export type Convention = "plus_one_pixel" | "above" | "rounded";
/**
 * The first that matches, in this order.
 */
export type VerdictCase =
  | "one_setting"
  | "few_images"
  | "no_hit"
  | "checkpoints"
  | "same_answers"
  | "outperforms"
  | "behind"
  | "equivalent"
  | "mixed"
  | "no_difference";
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Remark".
 */
export type Remark = SeedsRemark | BehindRemark | BelowChanceRemark | BlankRemark | RisingRemark;
/**
 * Minimal pairs and expressions that only `label` answers right (wins), only `against` (losses), or neither (failures); random failures are those of `label` in a subset.
 */
export type GalleryKind =
  "pair_wins" | "pair_losses" | "pair_failures" | "wins" | "losses" | "joint_failures" | "random_failures";
/**
 * Left, top, right, bottom, in pixels of the original image.
 *
 * @minItems 4
 * @maxItems 4
 */
export type BoxXyxy1 = [number, number, number, number];
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExtraName".
 */
export type ExtraName = "onnx" | "yolo";
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreflightStatus".
 */
export type PreflightStatus = "passed" | "failed" | "not_checked";
/**
 * Every reply: a value or an error.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Envelope".
 */
export type Envelope = OkEnvelope | ErrorEnvelope;
/**
 * A file, several files (repeats), files by split, or an object.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ResultsChoice".
 */
export type ResultsChoice = string | [string, ...string[]] | ResultsObject;
/**
 * Names as SLURM has them, also several with commas between them.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SlurmName".
 */
export type SlurmName = string;
/**
 * Folder on the own disk of each node to which features are copied once, for slow shares: an absolute path, or one that begins with a variable of the node, such as `$TMPDIR/cliprpn`. Default: none, features are read from the share.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "NodeCacheDir".
 */
export type NodeCacheDir = string;
/**
 * `default`: ClipRPN (Trento) with its bugs fixed. `reference`: the original settings of ClipRPN (Trento).
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Preset".
 */
export type Preset = "default" | "reference";
/**
 * A fusion by name, by its three switches, or a custom class: {"file": "my_fusion.py:MyFusion", "params": {}}.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FusionChoice".
 */
export type FusionChoice = ("concatenation" | "cross_attention" | "film" | "token_attention") | FusionObject;
/**
 * A detector by its kind, or as an object: {"kind": "yolox", "weights": "yolox_nano.onnx"}.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DetectorChoice".
 */
export type DetectorChoice = ("yolo" | "trained_yolo" | "faster_rcnn" | "gt_boxes" | "whole_image") | DetectorObject;
/**
 * Name of a configuration in the report and for `train --setting`, in place of the one made from its keys. No part of a trial's identity.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Label".
 */
export type Label = string;
/**
 * Every configuration runs once with each seed. Default: [0].
 *
 * @minItems 1
 * @maxItems 1000
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Seeds".
 */
export type Seeds = [number, ...number[]];
/**
 * Four numbers per expression: pixels of the original image, to a tenth.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExplorerBoxes".
 */
export type ExplorerBoxes = number[];
/**
 * The models in the archive: none, those of the best epochs, or also those of the last ones.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportedModels".
 */
export type ExportedModels = "none" | "best" | "all";
/**
 * One line of journal.jsonl, the log of a sweep's events.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "JournalEntry".
 */
export type JournalEntry =
  | SweepStarted
  | SweepEstimated
  | TrialStarted
  | TrialFinished
  | PreparationStarted
  | PreparationFinished
  | WorkerRenewed
  | SweepFinished
  | SweepPaused
  | SweepMeasured
  | WorkerChanged
  | WorkersMissing;
/**
 * The rest of the command, from its start to the report; null if a part of it is not known.
 */
export type TimingOrNull = Timing | null;
/**
 * From the start of the first trial to the end of the last one, with the features that they need; null if a part of it is not known.
 */
export type TimingOrNull1 = Timing | null;
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepPart".
 */
export type SweepPart =
  "start" | "features" | "training" | "selection" | "saving" | "evaluation" | "baselines" | "other_splits" | "report";
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TimingOrNull".
 */
export type TimingOrNull2 = Timing | null;
/**
 * One trial from its start; null if nothing is known.
 */
export type TimingOrNull3 = Timing | null;
/**
 * images: decoded images; maps, views: feature maps of images and of their augmented views; text: features of expressions; detections, embeddings: of baselines; predictions: on val; answers: predictions on other splits; checkpoints: of running trials, removed when they complete.
 */
export type DiskPartName =
  | "images"
  | "maps"
  | "views"
  | "text"
  | "detections"
  | "embeddings"
  | "models"
  | "predictions"
  | "answers"
  | "checkpoints";
/**
 * A line that `python -m cliprpn_ray` writes to its standard output.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayMessage".
 */
export type RayMessage = RayConnected | RayFailed | RayNodes | RayPlaced | RayEnded;
/**
 * Chosen by whoever asks for the actor.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayActorId".
 */
export type RayActorId = string;
/**
 * A further line that `python -m cliprpn_ray` reads.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayRequest".
 */
export type RayRequest = RayStart | RayLeave | RayEnd;
/**
 * One line that `cliprpn sweep --json`, and `train --json`, print to stdout. Later versions may add keys and types of lines; none is removed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepEvent".
 */
export type SweepEvent = PreparationChange | TrialChange | ReportWritten;
/**
 * An event that Python sends during a call, for display only.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialEvent".
 */
export type TrialEvent = ProgressEvent | EpochEvent | RestartEvent | WarningEvent;
/**
 * spec.json of a trial: what decides its result, and nothing else (no path, label, preset or device). `StoredSettings` and `StoredBaseline` are generated from settings.schema.json and baseline.schema.json.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialIdentity".
 */
export type TrialIdentity = ClipRpnIdentity | BaselineIdentity;
/**
 * How the features of the referring expression and the image are fused.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredFusion".
 */
export type StoredFusion = ConcatenationFusion | CrossAttentionFusion | SwitchedFusion | StoredFileFusion;
/**
 * The source of the proposals.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredDetector".
 */
export type StoredDetector =
  | StoredYoloDetector
  | TrainedYoloDetector
  | StoredYoloxDetector
  | StoredFasterRcnnDetector
  | StoredFileDetector
  | StoredRpnDetector
  | GtBoxesDetector
  | WholeImageDetector;
/**
 * A line that `python -m cliprpn.worker` writes to its standard output.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerMessage".
 */
export type WorkerMessage = WorkerReady | WorkerEvent | WorkerEnded;
/**
 * A line that `python -m cliprpn.worker` reads from its standard input, at the end of which it exits.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerRequest".
 */
export type WorkerRequest = RunRequest | PrepareRequest | EndRequest;

export interface Contract {
  [k: string]: unknown | undefined;
}
/**
 * accepted/<code>.json in a trial's folder: the attempt that counts for this code; created once, never changed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AcceptedAttempt".
 */
export interface AcceptedAttempt {
  /**
   * Version of the format.
   */
  schema_version: 1;
  attempt: number;
  sources_sha256: string;
  /**
   * UTC, ISO 8601.
   */
  accepted_at: string;
  /**
   * Where a trial that did not run here came from; null for one that did.
   */
  origin: TrialOrigin | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialOrigin".
 */
export interface TrialOrigin {
  /**
   * `import`: from an archive. `adopted`: from the folders of an earlier version of cliprpn.
   */
  kind: "import" | "adopted";
  /**
   * The archive, or the folder.
   */
  from: string;
}
/**
 * What was found in a file of answers, for one split.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AnswersReport".
 */
export interface AnswersReport {
  file: string;
  sha256: string;
  format: AnswerFormat;
  coordinates: Coordinates;
  /**
   * Rows of the file.
   */
  num_rows: number;
  /**
   * Expressions of the split.
   */
  num_expressions: number;
  /**
   * Expressions with a box.
   */
  num_answered: number;
  /**
   * Expressions without a row: misses.
   */
  num_missing: number;
  /**
   * Expressions with a row in whose text no box was found, or whose box is not finite: misses.
   */
  num_unparsed: number;
  /**
   * Rows of an expression that had one before; the first counts.
   */
  num_duplicates: number;
  /**
   * Rows that match no expression of the split.
   */
  num_strangers: number;
  /**
   * Expressions matched by sent_id.
   */
  num_by_sent_id: number;
  /**
   * Expressions matched by image and expression.
   */
  num_by_text: number;
  /**
   * Expressions matched by image and normalized expression.
   */
  num_by_normalized_text: number;
  /**
   * Expressions matched by image alone, where each image has one; absent in reports of earlier versions.
   */
  num_by_image?: number | null;
  /**
   * Expressions matched by the order of the rows, which their ground truth confirms; absent in reports of earlier versions.
   */
  num_by_position?: number | null;
  /**
   * Matched rows with a ground-truth box of their own.
   */
  num_ground_truth: number;
  /**
   * Those whose ground-truth box has an IoU below 0.9 with that of the dataset.
   */
  num_other_ground_truth: number;
  has_scores: boolean;
  notes: string[];
  warnings: string[];
  /**
   * The first of each kind of problem.
   */
  examples: AnswerExample[];
}
/**
 * What the four numbers of a box mean.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Coordinates".
 */
export interface Coordinates {
  box_format: AnswerBoxFormat;
  frame: BoxFrame;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "OriginalFrame".
 */
export interface OriginalFrame {
  kind: "original";
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FixedFrame".
 */
export interface FixedFrame {
  kind: "fixed";
  /**
   * Pixels.
   */
  width: number;
  /**
   * Pixels.
   */
  height: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "LongSideFrame".
 */
export interface LongSideFrame {
  kind: "long_side";
  /**
   * Pixels.
   */
  length: number;
}
/**
 * As of torchvision's and DETR's resize: the shorter side has this length, unless the longer one would be above `max_length`.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ShortSideFrame".
 */
export interface ShortSideFrame {
  kind: "short_side";
  /**
   * Pixels.
   */
  length: number;
  max_length: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SmartResizeFrame".
 */
export interface SmartResizeFrame {
  kind: "smart_resize";
  /**
   * 28 for Qwen2-VL and Qwen2.5-VL, 32 for Qwen3-VL.
   */
  factor: number;
  /**
   * Smallest area.
   */
  min_pixels: number;
  /**
   * Largest area.
   */
  max_pixels: number;
}
/**
 * The columns `width` and `height` of each row.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ColumnsFrame".
 */
export interface ColumnsFrame {
  kind: "columns";
}
/**
 * A square whose side is the longer side of the resized image; the rest is padding. Normalized coordinates are fractions of the square.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PaddedFrame".
 */
export interface PaddedFrame {
  kind: "padded";
  /**
   * Side of the square, pixels; null: the longer side of the original image.
   */
  length: number | null;
  /**
   * Where the image lies in the square.
   */
  align: "center" | "top_left";
}
export interface AnswerExample {
  kind: "missing" | "unparsed" | "duplicate" | "stranger" | "other_ground_truth";
  /**
   * File and line; for a missing answer, the expression.
   */
  where: string;
  text: string;
}
/**
 * How a file of answers is read.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AnswerReading".
 */
export interface AnswerReading {
  /**
   * Null: from the content of the file.
   */
  format: AnswerFormat | null;
  /**
   * Names of columns by field, such as {"score": "prob"}; dotted for nested objects. Null: the usual names.
   */
  columns: {
    [k: string]: string | undefined;
  } | null;
  /**
   * Null: as the format has them, which must be certain.
   */
  coordinates: Coordinates | null;
  /**
   * True if they are read so even if the boxes fit another reading better.
   */
  force_coordinates: boolean;
}
/**
 * How a model was asked, by its evaluator; every field may be absent.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Protocol".
 */
export interface Protocol {
  model?: string;
  revision?: string;
  weights?: string;
  prompt?: string;
  min_pixels?: number;
  max_pixels?: number;
  /**
   * Such as {"temperature": 0, "max_new_tokens": 64}.
   */
  decoding?: {
    [k: string]: string | number | boolean | null | undefined;
  };
  trained_on?: TrainedOn;
  notes?: string;
}
/**
 * Whether a model reads the expression: its answers to changed expressions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AuditSummary".
 */
export interface AuditSummary {
  /**
   * Version of the format.
   */
  schema_version: 1;
  label: string;
  split: Split;
  num_expressions: number;
  num_images: number;
  /**
   * Expressions of fewer than two different words: they have no other order. Absent in audits of earlier versions, as the next fields.
   */
  num_one_word?: number | null;
  /**
   * Unchanged expressions without an answer, of all runs: misses.
   */
  num_missing?: number | null;
  /**
   * Unchanged expressions with an answer without a box, of all runs: misses.
   */
  num_unparsed?: number | null;
  /**
   * The words that `content_words` leaves out.
   */
  function_words?: string[] | null;
  num_runs: number;
  population: Population;
  confidence: number;
  /**
   * Of the random order of words.
   */
  seed: number;
  acc_at_50: Interval;
  kinds: AuditKind[];
  /**
   * True if both shuffled and reversed words leave the box the same for at least 90 % of the expressions (lower end of the intervals); false if one of them does for less (upper end); null if the intervals leave it open, with fewer than 30 images, or if fewer than half of the questions have a box.
   */
  ignores_word_order: boolean | null;
  /**
   * True if the accuracy is not significantly above that without words; null with fewer than 30 images, or if fewer than half of the questions without words have a box.
   */
  ignores_expression: boolean | null;
  examples: AuditExample[];
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Interval".
 */
export interface Interval {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * Answers to one kind of changed expressions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AuditKind".
 */
export interface AuditKind {
  kind: ChangeKind;
  /**
   * Changed expressions; several of one expression for `dropped_word`.
   */
  num_changes: number;
  /**
   * Expressions that the change applies to.
   */
  num_expressions: number;
  num_images: number;
  /**
   * Changes without an answer, of all runs: misses. Absent in audits of earlier versions, as the next fields.
   */
  num_missing?: number | null;
  /**
   * Changes with an answer without a box, of all runs: misses.
   */
  num_unparsed?: number | null;
  /**
   * Changes with a box in each run, also for the unchanged expression: those that `unchanged` and `moved` are about.
   */
  num_compared?: number | null;
  original: Interval1;
  /**
   * Of the changed expressions, for the object that the unchanged one refers to. Null if `num_compared` is less than half of the changes.
   */
  acc_at_50: Interval | null;
  /**
   * Changed minus unchanged, paired by image. Null if `num_compared` is less than half of the changes.
   */
  difference: Interval | null;
  p_value: number | null;
  /**
   * By Holm over the kinds.
   */
  p_adjusted: number | null;
  /**
   * Fraction of compared changes after which the box is the same: an IoU of at least 0.9 with the box of the unchanged expression. Null if `num_compared` is less than half of the changes.
   */
  unchanged: Interval | null;
  /**
   * Compared changes in images with another object that the box could move to; 0 where moving is not asked.
   */
  num_with_other: number;
  /**
   * Of those: the box has an IoU of at least 0.5, which the box of the unchanged expression has not, with another object: for swaps with one of the same category, for `other_expression` with the object that it refers to. Null where this is not asked or no image has one, and as above.
   */
  moved: Interval | null;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval1 {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * An expression whose words were dropped one at a time.
 */
export interface AuditExample {
  sent_id: number;
  sentence: string;
  /**
   * Absolute path; null if the dataset has no images.
   */
  image_file: string | null;
  upright: boolean;
  gt_box_xyxy: BoxXyxy;
  pred_box_xyxy: BoxXyxy;
  iou: number;
  words: AuditWord[];
}
export interface AuditWord {
  word: string;
  /**
   * Of the box without this word with the box of the whole expression, mean over runs; null if there is none.
   */
  iou: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AuditWord".
 */
export interface AuditWord1 {
  word: string;
  /**
   * Of the box without this word with the box of the whole expression, mean over runs; null if there is none.
   */
  iou: number | null;
}
/**
 * An expression whose words were dropped one at a time.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AuditExample".
 */
export interface AuditExample1 {
  sent_id: number;
  sentence: string;
  /**
   * Absolute path; null if the dataset has no images.
   */
  image_file: string | null;
  upright: boolean;
  gt_box_xyxy: BoxXyxy;
  pred_box_xyxy: BoxXyxy;
  iou: number;
  words: AuditWord2[];
}
export interface AuditWord2 {
  word: string;
  /**
   * Of the box without this word with the box of the whole expression, mean over runs; null if there is none.
   */
  iou: number | null;
}
/**
 * audit.json of an audit's folder.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredAudit".
 */
export interface StoredAudit {
  /**
   * Version of the format.
   */
  schema_version: 1;
  name: string;
  command: string;
  /**
   * UTC, ISO 8601; absent in audits of earlier versions.
   */
  created_at?: string | null;
  dataset: DatasetName;
  split: Split;
  models: AuditedModel[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetName".
 */
export interface DatasetName {
  id: string;
  name: string;
  split_by: SplitBy;
}
export interface AuditedModel {
  /**
   * Empty for an outside model.
   */
  trial_ids: string[];
  /**
   * The attempt of each trial that was asked; absent in audits of earlier versions.
   */
  attempts?: AuditedAttempt[] | null;
  /**
   * Answers of an outside model.
   */
  files: string[];
  /**
   * What was found in each file; absent in audits of earlier versions.
   */
  answers?: AnswersReport[] | null;
  summary: AuditSummary;
}
export interface AuditedAttempt {
  trial_id: string;
  attempt: number;
  /**
   * Of its outcome: the same on every machine.
   */
  finished_at: string;
}
/**
 * A fully resolved baseline: the detector that proposes boxes, and how CLIP ranks them.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BaselineSettings".
 */
export interface BaselineSettings {
  detector: Detector;
  /**
   * The view of a box that CLIP encodes: `crop` (as in ClipRPN (Trento)), `blur` (everything outside the box is blurred), `circle` (a red circle around the box), or `crop+blur` (both views, as in ReCLIP without relations).
   */
  ranking: "crop" | "blur" | "circle" | "crop+blur";
  /**
   * Prompt templates; {} is the placeholder for the referring expression. The embeddings of several templates are averaged.
   *
   * @minItems 1
   * @maxItems 100
   */
  templates: [string, ...string[]];
  /**
   * Adds the CLIP text similarity between the box's class name and the referring expression to the score.
   */
  category_prior: boolean;
  /**
   * Detections with a lower score are dropped.
   */
  score_thresh: number;
  /**
   * IoU threshold of the detector's non-maximum suppression, applied per class.
   */
  nms_thresh: number;
  /**
   * The maximum number of boxes per image that are ranked; those with the highest scores are kept.
   */
  max_boxes: number;
}
/**
 * Any YOLO that ultralytics can load, or an .onnx of the yolov5 or yolov7 repository.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "YoloDetector".
 */
export interface YoloDetector {
  kind: "yolo";
  /**
   * Absolute path of the weights: .onnx, or .pt, which can run code when it is loaded.
   */
  file: string;
  sha256: string;
  /**
   * Input size of the detector: images are letterboxed to a square with this side, in pixels. null for the size that the weights were trained with.
   */
  image_size_px: number | null;
  /**
   * Class names, in the order of the detector's outputs; null for those stored with the weights.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes: [string, ...string[]] | null;
}
/**
 * A small YOLO that is trained once on the boxes of the dataset's train split.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrainedYoloDetector".
 */
export interface TrainedYoloDetector {
  kind: "trained_yolo";
  /**
   * Name of an ultralytics architecture, such as yolov8n or yolo11n.
   */
  architecture: string;
  num_epochs: number;
  image_size_px: number;
  batch_size: number;
  seed: number;
}
/**
 * YOLOX as .onnx, exported without box decoding.
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
   * Class names, in the order of the detector's outputs; null for COCO's 80 classes.
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
   * Absolute path of a state_dict; `coco` for the COCO weights that torchvision downloads.
   */
  file: string;
  /**
   * SHA-256 of the file; `coco` for the weights of torchvision.
   */
  sha256: string;
  /**
   * Class names, in the order of the detector's outputs; null for COCO's 80 classes.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes: [string, ...string[]] | null;
}
/**
 * Proposals from detections made elsewhere: COCO results JSON, other detectors' JSON, JSON lines or CSV, or a folder with a file for each image.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FileDetector".
 */
export interface FileDetector {
  kind: "file";
  /**
   * Absolute path of the file or folder.
   */
  file: string;
  sha256: string;
  /**
   * What the four numbers of a box are: pixels, normalized to [0, 1] (_norm), or 0 to 1000 (_1000). null for what is usual for the file's layout, which is checked.
   */
  box_format:
    | "xywh"
    | "xywh_norm"
    | "xywh_1000"
    | "xyxy"
    | "xyxy_norm"
    | "xyxy_1000"
    | "cxcywh"
    | "cxcywh_norm"
    | "cxcywh_1000"
    | "yxyx"
    | "yxyx_norm"
    | "yxyx_1000"
    | null;
  /**
   * The score of a certain detection, such as 100 for percent. null for 1.
   */
  score_max: number | null;
  /**
   * The class of each category_id, if the file has no class names: COCO's ids 1 to 90 (coco), COCO's 80 classes from 0 (coco80) or from 1 (coco80_from_1), or boxes without class (none). null for the numbering that agrees with the annotated objects.
   */
  category_ids: "coco" | "coco80" | "coco80_from_1" | "none" | null;
}
/**
 * The proposals of a trained ClipRPN, which depend on the referring expression.
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
 * The ground-truth boxes of all objects of the image: an upper bound.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "GtBoxesDetector".
 */
export interface GtBoxesDetector {
  kind: "gt_boxes";
}
/**
 * The whole image as the only box: a lower bound.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WholeImageDetector".
 */
export interface WholeImageDetector {
  kind: "whole_image";
}
/**
 * The Python methods that TypeScript may call: params and result of each. No exception crosses the bridge: every reply is an envelope.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BridgeMethods".
 */
export interface BridgeMethods {
  hello: HelloMethod;
  run_trial: RunTrialMethod;
  run_preparation: RunPreparationMethod;
  index_dataset: IndexDatasetMethod;
  check_fusion: CheckFusionMethod;
  evaluate: EvaluateMethod;
  summarize: SummarizeMethod;
  intervals_so_far: IntervalsSoFarMethod;
  ground: GroundMethod;
  import_checkpoint: ImportCheckpointMethod;
  golden: GoldenMethod;
  read_annotations: ReadAnnotationsMethod;
  export_dataset: ExportDatasetMethod;
  export_questions: ExportQuestionsMethod;
  compare_datasets: CompareDatasetsMethod;
  join_datasets: JoinDatasetsMethod;
  dataset_stats: DatasetStatsMethod;
  train_detector: TrainDetectorMethod;
  check_extra: CheckExtraMethod;
  check_detector: CheckDetectorMethod;
  read_answers: ReadAnswersMethod;
  combine: CombineMethod;
  audit: AuditMethod;
  export_changes: ExportChangesMethod;
  audit_answers: AuditAnswersMethod;
  describe_machine: DescribeMachineMethod;
  sample_expressions: SampleExpressionsMethod;
  preflight_check: PreflightCheckMethod;
  measure_speed: MeasureSpeedMethod;
  measure_baseline: MeasureBaselineMethod;
  measure_report: MeasureReportMethod;
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
   * auto, cpu, cuda, cuda:I or mps; Python resolves `auto` and raises an error for a device that is not available. Null for a process that only reads answers and computes figures, which starts without torch.
   */
  device: string | null;
  num_threads: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "HelloResult".
 */
export interface HelloResult {
  schema_sha256: string;
  sources_sha256: CodeHashes;
  /**
   * Absolute path of the Python package `cliprpn` that is running.
   */
  code_folder: string;
  /**
   * Null without a device.
   */
  environment: Environment | null;
  pid: number;
}
/**
 * Hash of the code that decides the results of each kind of trial (a CodeManifest).
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CodeHashes".
 */
export interface CodeHashes {
  cliprpn: string;
  baseline: string;
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
  /**
   * Model of the processor, also where the device is a GPU. Missing in files of earlier versions.
   */
  cpu_name?: string | null;
  /**
   * Name of the machine, as its cluster or it itself has it. Missing in files of earlier versions, in archives and in reports.
   */
  host?: string | null;
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
  spec: TrialSpec;
  /**
   * Absolute path of the attempt's folder, which is new; receives models, predictions and, last, outcome.json.
   */
  folder: string;
  keep_models: KeepModels;
  /**
   * For messages: the person's file of a custom fusion, of which the trial runs a copy.
   */
  fusion_file?: string | null;
  /**
   * How models name the weights of their backbone; null or missing for the path in the spec. A pilot sets it where folders have other names than on the machine that runs the sweep.
   */
  recorded_weights?: string | null;
  /**
   * Absolute paths of earlier attempts at the trial that have no outcome, newest first. The attempt continues the first one with a good checkpoint by the same code.
   */
  resume_from?: string[] | null;
  /**
   * Time between checkpoints within an epoch; 0 or missing for none but those at the end of epochs.
   */
  checkpoint_minutes?: number | null;
}
/**
 * A ClipRPN to train and evaluate.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ClipRpnSpec".
 */
export interface ClipRpnSpec {
  kind: "cliprpn";
  trial_id: string;
  /**
   * Hash of the code that decides the results of this kind of trial (a CodeManifest); an outcome with a different hash is stale.
   */
  sources_sha256: string;
  /**
   * Human-readable name of the trial's configuration, such as `fusion=film`.
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
   * Absolute path of the folder for frozen features and prepared datasets.
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
   * Absolute path of the prepared dataset's folder.
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
 * All settings of one trial. An experiment file sets some of them; a preset sets the rest.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Settings".
 */
export interface Settings {
  /**
   * Side of the square that an image is resized to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px: number;
  resize: Resize;
  /**
   * Side of the square coordinate frame of anchors and boxes during training, in pixels.
   */
  frame_size_px: number;
  /**
   * Channels of the 1x1 projection before the fusion; null for no projection (as in ClipRPN (Trento)).
   */
  neck_channels: number | null;
  fusion: Fusion;
  anchors: Anchors;
  rpn: Rpn;
  training: Training;
  limits: Limits;
}
/**
 * The concatenation of ClipRPN (Trento): feature map and the sentence embedding repeated twice, then a 1x1 convolution.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ConcatenationFusion".
 */
export interface ConcatenationFusion {
  kind: "concatenation";
}
/**
 * The cross-attention of ClipRPN (Trento): cells are the queries, the sentence embedding is the only key and value.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CrossAttentionFusion".
 */
export interface CrossAttentionFusion {
  kind: "cross_attention";
}
/**
 * The corrected fusion, built from three switches. `film` is pooled, multiplicative, off; `token_attention` is words, multiplicative, on.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SwitchedFusion".
 */
export interface SwitchedFusion {
  kind: "switched";
  /**
   * One embedding for the referring expression (`pooled`), or one per token (`words`).
   */
  text: "pooled" | "words";
  /**
   * How the text features modify the feature map: added to it or multiplied with it.
   */
  interaction: "additive" | "multiplicative";
  /**
   * Adds the coordinates of each cell to the input of the fusion.
   */
  coordinates: "off" | "on";
}
/**
 * A custom fusion: a class in a Python file.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FileFusion".
 */
export interface FileFusion {
  kind: "file";
  /**
   * Absolute path of the file, a colon, and the class: /home/me/my_fusion.py:MyFusion.
   */
  file: string;
  /**
   * Keyword arguments of the class, as finite JSON values.
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
   * Position of the anchors: on cell corners (as in ClipRPN (Trento)) or on cell centers.
   */
  placement: "corner" | "center";
  /**
   * Square roots of the anchor areas, in pixels of the frame.
   *
   * @minItems 1
   * @maxItems 16
   */
  scales_px: [number, ...number[]];
  /**
   * Aspect ratios (height / width).
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
   * An anchor with at least this IoU is positive; the best anchor is always positive.
   */
  fg_iou_thresh: number;
  /**
   * An anchor below this IoU is negative; must not exceed fg_iou_thresh.
   */
  bg_iou_thresh: number;
  /**
   * `sampled_bce`: binary cross-entropy over sampled anchors (as in ClipRPN (Trento)). `softmax`: cross-entropy over all anchors.
   */
  objectness_loss: "sampled_bce" | "softmax";
  /**
   * Smooth L1 loss of the positives, divided by the number of sampled anchors (`over_sampled`, as in ClipRPN (Trento)) or of positives (`over_positives`).
   */
  box_loss: "over_sampled" | "over_positives";
  box_loss_weight: number;
  /**
   * Anchors sampled per referring expression for `sampled_bce`.
   */
  batch_size_per_image: number;
  /**
   * Maximum fraction of positives among the sampled anchors.
   */
  positive_fraction: number;
  /**
   * Proposals kept before non-maximum suppression, during evaluation: those that Recall@k is computed from. No best box depends on it.
   */
  pre_nms_top_n: number;
  /**
   * Proposals kept after non-maximum suppression, during evaluation.
   */
  post_nms_top_n: number;
  nms_thresh: number;
  /**
   * Weight of the loss that contrasts the referred object with other objects of its category in the image; 0 disables it (as in ClipRPN (Trento)).
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
   * Referring expressions per step.
   */
  batch_size: number;
  /**
   * Unit of shuffling: referring expressions (`sentence`, as in ClipRPN (Trento)), or images with all their expressions (`image`), which converges faster.
   */
  batch_by: "sentence" | "image";
  optimizer: "adam" | "adamw";
  /**
   * The peak learning rate, if the schedule has a peak.
   */
  learning_rate: number;
  weight_decay: number;
  schedule: "constant" | "cosine";
  /**
   * Fraction of all steps in which the learning rate rises linearly to its peak.
   */
  warmup_fraction: number;
  /**
   * Maximum norm of the gradient; null for no clipping.
   */
  grad_clip_norm: number | null;
  /**
   * Numbers that training computes with. `fp32`: IEEE float32, without TF32. `bf16`: bfloat16 with float32 weights in the optimizer, and losses in float32; on CUDA and on the CPU. `auto`: `bf16` on CUDA, `fp32` on other devices. Evaluation is in float32 in any case. Versions before `precision` had `amp`: true is read as `auto`, false as `fp32`.
   */
  precision: "auto" | "fp32" | "bf16";
  /**
   * Whether all operations must be deterministic, so that another run on the same machine gives the same bits; an operation that cannot is an error. If false, another run may differ in the last digits, and may be faster on CUDA.
   */
  deterministic: boolean;
  /**
   * Whether training steps are captured as CUDA graphs and replayed, which saves the time to launch their kernels; CUDA only. Results may differ in the last digits. The Python code of a custom fusion then runs only while a graph is captured.
   */
  cuda_graphs: boolean;
  /**
   * The metric on val that selects the best epoch.
   */
  select_by: "acc_at_50" | "miou";
  /**
   * Number of cached augmented views per training image; 0 for none. Each epoch uses the next view of each image.
   */
  views: number;
}
/**
 * The maximum number of referring expressions per split, in the order of the dataset; null for all.
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
 * A detector and a ranking to evaluate; nothing is trained, so one run applies to every seed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BaselineSpec".
 */
export interface BaselineSpec {
  kind: "baseline";
  trial_id: string;
  /**
   * Hash of the code that decides the results of this kind of trial (a CodeManifest); an outcome with a different hash is stale.
   */
  sources_sha256: string;
  /**
   * Human-readable name of the trial's configuration, such as `fusion=film`.
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
   * Absolute path of the folder for frozen features and prepared datasets.
   */
  cache_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunTrialResult".
 */
export interface RunTrialResult {
  outcome: TrialOutcome;
  memory?: WorkerMemory | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CompletedOutcome".
 */
export interface CompletedOutcome {
  /**
   * Version of the format.
   */
  schema_version: 1;
  state: "completed";
  trial_id: string;
  /**
   * Hash of the code that ran the trial, for its kind.
   */
  sources_sha256: string;
  /**
   * UTC, ISO 8601.
   */
  finished_at: string;
  /**
   * Counted from 1; selected on val. 0 when nothing is trained.
   */
  best_epoch: number;
  epochs: Epoch[];
  metrics: Metrics;
  num_trainable_parameters: number;
  durations_ms: Durations;
  peak_memory_bytes: PeakMemory;
  environment: Environment;
  /**
   * What training computed with. Null for baselines; missing in outcomes of earlier versions.
   */
  precision?: "fp32" | "bf16" | null;
  /**
   * Caveats for interpreting the metrics, one sentence each.
   */
  notes: string[];
  /**
   * The checkpoint that this attempt continued. Null or missing if it began at the start.
   */
  resumed_from?: ResumedFrom | null;
  /**
   * The device ran out of memory in training, so batches were cut into micro-batches of at most this many referring expressions, whose gradients were added up. Null or missing if whole batches fit.
   */
  micro_batch_size?: number | null;
  /**
   * The device ran out of memory in evaluation, so its batches had at most this many referring expressions. Null or missing if batches of the usual size fit.
   */
  evaluation_batch_size?: number | null;
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
   * Mean over the referring expressions of the epoch.
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
 * Metrics of the best epoch on val.
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
   * Fraction of minimal pairs with both referring expressions correct; null when the dataset has no pairs.
   */
  pair_accuracy: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Durations".
 */
export interface Durations {
  /**
   * Opening the frozen features, and extracting them if needed.
   */
  features: number;
  /**
   * With that of the attempts that were continued, up to their checkpoints.
   */
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
   * Peak resident memory of the Python process so far.
   */
  process: number;
  /**
   * Peak memory allocated on the accelerator in this trial; null on the CPU.
   */
  device: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ResumedFrom".
 */
export interface ResumedFrom {
  /**
   * Number of the attempt that wrote the checkpoint; null if its folder has another name.
   */
  attempt: number | null;
  /**
   * The epoch that training continued in, from 1; one more than the number of epochs if only the evaluation was left.
   */
  epoch: number;
  /**
   * Steps of this epoch that the checkpoint contains.
   */
  step: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FailedOutcome".
 */
export interface FailedOutcome {
  /**
   * Version of the format.
   */
  schema_version: 1;
  state: "failed";
  trial_id: string;
  /**
   * Hash of the code that ran the trial, for its kind.
   */
  sources_sha256: string;
  finished_at: string;
  error: ErrorInfo;
  /**
   * File in the folder of outcome.json; null when there is none.
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
/**
 * What the worker's process uses after an attempt, when it has freed what it can.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerMemory".
 */
export interface WorkerMemory {
  /**
   * Resident memory without mapped files; null where the system does not say.
   */
  process_bytes: number | null;
  /**
   * Memory of the CUDA device that other processes cannot have; null on other devices.
   */
  device_bytes: number | null;
  /**
   * Memory of the CUDA device that is still in use, besides that of the worker's start and of the frozen features; null on other devices.
   */
  device_left_bytes: number | null;
}
export interface RunPreparationMethod {
  params: RunPreparationParams;
  result: RunPreparationResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunPreparationParams".
 */
export interface RunPreparationParams {
  spec: PreparationSpec;
  /**
   * Absolute path of the attempt's folder, which is new; receives, last, outcome.json.
   */
  folder: string;
  /**
   * On a CPU: blocks of images that are computed at the same time, each with the trial's number of threads, so that the numbers are those that the trial would compute.
   */
  num_lanes: number;
}
/**
 * spec.json of an attempt that makes what several trials of a sweep share, before they run. It needs nothing but the dataset and the weights, so any machine that shares the cache can run it.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparationSpec".
 */
export interface PreparationSpec {
  /**
   * Version of the format.
   */
  schema_version: 1;
  parts: PreparationPart[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparationPart".
 */
export interface PreparationPart {
  /**
   * features: CLIP's features of the dataset's images and expressions, and of augmented views. detections: the boxes of a baseline's detector. embeddings: these, and CLIP's embeddings of the boxes and expressions.
   */
  make: "features" | "detections" | "embeddings";
  trial: TrialSpec1;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunPreparationResult".
 */
export interface RunPreparationResult {
  outcome: PreparationOutcome;
}
/**
 * outcome.json of such an attempt. A part that failed does not end it: trials make what is missing.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparationOutcome".
 */
export interface PreparationOutcome {
  schema_version: 1;
  /**
   * UTC, ISO 8601.
   */
  finished_at: string;
  /**
   * In the order of the spec.
   */
  parts: PreparedPart[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparedPart".
 */
export interface PreparedPart {
  make: "features" | "detections" | "embeddings";
  /**
   * Of the trial.
   */
  label: string;
  duration_ms: number;
  error: ErrorInfo | null;
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
   * Absolute path of a manifest.json with the sizes of the images and their problems; refs of images with a problem are left out. Null for a dataset without images.
   */
  pixels_manifest: string | null;
  /**
   * Absolute path of an ImageNames file, as for read_annotations.
   */
  image_names_file?: string | null;
  /**
   * Absolute path; receives images.parquet, sentences.parquet and objects.parquet.
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
   * The file with COCO's images, objects and categories.
   */
  instances_file: string;
  /**
   * A file such as `refs(umd).p`.
   */
  refs_file: string;
  only?: Only;
  clip_boxes?: ClipBoxes;
  force_box_format?: ForceBoxFormat;
  allow_invalid?: AllowInvalid;
  orientation?: Orientation;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RowsFile".
 */
export interface RowsFile {
  file: string;
  /**
   * The split of all rows of the file; null when each row has a split, or none has.
   */
  split: Split | null;
}
/**
 * Files with one row per referring expression.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RowsSource".
 */
export interface RowsSource {
  layout: "rows";
  /**
   * JSON Lines; CSV; a JSON document with rows; Parquet; COCO JSON with referring expressions; MDETR's finetuning JSON; TransVG's index rows; Grounding DINO's ODVG; Visual Genome's region descriptions; a folder of Pascal VOC; gRefCOCO; Flickr30k Entities; the Description Detection Dataset (D-cube).
   */
  format:
    | "jsonl"
    | "csv"
    | "json"
    | "parquet"
    | "coco"
    | "mdetr"
    | "transvg"
    | "odvg"
    | "visual_genome"
    | "voc"
    | "grefcoco"
    | "flickr30k"
    | "dcube";
  /**
   * Files, or folders of the formats that are folders.
   *
   * @minItems 1
   */
  files: [RowsFile, ...RowsFile[]];
  box_format: BoxFormat;
  columns: Columns;
  /**
   * Random seed of the split by image, used when the rows have no split.
   */
  split_seed: number;
  /**
   * Key of the list of rows in a JSON file, with dots for nested objects; absent when the file is a list, or has one list of objects.
   */
  rows?: string | null;
  /**
   * True if the first box of an expression with several boxes is taken; absent if such expressions are left out.
   */
  first_box?: boolean | null;
  /**
   * COCO's images and boxes, which gRefCOCO refers to by id; absent if they lie beside its file.
   */
  instances?: string | null;
  only?: Only;
  /**
   * The published dataset whose splits the rows get; absent if the rows keep their own.
   */
  match?: PublishedSource | null;
  clip_boxes?: ClipBoxes;
  force_box_format?: ForceBoxFormat;
  allow_invalid?: AllowInvalid;
  orientation?: Orientation;
}
/**
 * Names of the columns (keys) of a row, with dots for nested objects. `box` may be four names joined by `+`. The optional ones are named as their key unless given.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Columns".
 */
export interface Columns {
  image: string;
  sentence: string;
  box: string;
  split: string;
  width?: string | null;
  height?: string | null;
  category?: string | null;
  image_id?: string | null;
  ann_id?: string | null;
  ref_id?: string | null;
  sent_id?: string | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PublishedSource".
 */
export interface PublishedSource {
  /**
   * As people call its splits, such as `refcocog-umd`.
   */
  name: string;
  /**
   * Its refs file, such as `refs(umd).p`, or the sentences.parquet of the prepared dataset.
   */
  file: string;
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
  /**
   * Null if the rows were not matched with a published dataset.
   */
  matched: MatchedSplit[] | null;
  /**
   * What may make results wrong, one line each.
   */
  warnings: string[];
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
/**
 * How much of a published split the rows have.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MatchedSplit".
 */
export interface MatchedSplit {
  /**
   * Such as `refcocog-umd`.
   */
  published: string;
  split: Split;
  /**
   * Expressions of the published split.
   */
  num_published: number;
  /**
   * Those of them that a row has; repeated rows count once.
   */
  num_matched: number;
}
export interface CheckFusionMethod {
  params: CheckFusionParams;
  result: CheckFusionResult;
}
/**
 * Builds the spec's fusion and checks its shapes with the sizes of its backbone.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckFusionParams".
 */
export interface CheckFusionParams {
  spec: ClipRpnSpec;
  /**
   * Device that trains, if it is not this worker's, such as cuda; null if it is not known. Whether it can train with the spec's precision is checked.
   */
  trains_on?: string | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckFusionResult".
 */
export interface CheckFusionResult {
  /**
   * Of the fusion.
   */
  num_parameters: number;
  /**
   * Size of the weights of the whole model, as saved for one epoch.
   */
  checkpoint_bytes: number;
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
   * The trial; null for a model file that no trial trained here.
   */
  spec: TrialSpec | null;
  /**
   * A .safetensors file with a .json file of the same name; null for a baseline.
   */
  model: string | null;
  split: Split;
  /**
   * Null for the dataset that the model was trained on. The trial's limits do not apply to another dataset.
   */
  dataset: TrialDataset | null;
  /**
   * Absolute path; receives predictions-<split>.parquet and metrics-<split>.json.
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
 * Metrics of one split, defined in python/cliprpn/metrics.py. All in [0, 1].
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
   * Fraction of minimal pairs with both referring expressions correct; null when the dataset has no pairs.
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
  dataset: TrialDataset;
  /**
   * @minItems 1
   */
  groups: [TrialGroup, ...TrialGroup[]];
  /**
   * Label of the configuration that others are compared with.
   */
  baseline: string | null;
  /**
   * As a fraction.
   */
  smallest_difference: number | null;
  alpha: number;
  /**
   * Absolute path of an existing folder for the files of the report that Python writes.
   */
  out_dir: string;
  /**
   * Absolute path; figures of a configuration are kept there.
   */
  cache_dir: string;
  /**
   * A list of reviewed expressions: figures are also computed on them.
   */
  only?: OnlyList | null;
}
/**
 * The trials of one configuration, one per seed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialGroup".
 */
export interface TrialGroup {
  label: string;
  /**
   * `results`: answers of an outside model.
   */
  kind: "cliprpn" | "baseline" | "results";
  /**
   * True for annotated boxes, which no model has.
   */
  is_upper_bound: boolean;
  /**
   * @minItems 1
   */
  trials: [EvaluatedTrial, ...EvaluatedTrial[]];
  /**
   * Seeds that the experiment asks for.
   */
  num_planned_seeds: number;
  /**
   * What differs between the runs of an outside model; absent or null: it has one run, a fixed model.
   */
  repeats?: Repeats | null;
}
export interface EvaluatedTrial {
  trial_id: string;
  seed: number;
  /**
   * Null if it was not chosen on val, such as an outside model.
   */
  val_acc_at_50: number | null;
  /**
   * Folder that contains predictions-<split>.parquet.
   */
  predictions_dir: string;
  /**
   * acc_at_50 on val after each epoch; empty if nothing was trained.
   */
  val_acc_by_epoch: number[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "OnlyList".
 */
export interface OnlyList {
  /**
   * Absolute path of a list of ids, as for `prepare --only`.
   */
  file: string;
  /**
   * Shown in the report.
   */
  name: string;
}
/**
 * A sweep's results on a split, with confidence intervals and the verdict: computed by Python, rendered by report/, stored in report.json.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Summary".
 */
export interface Summary {
  /**
   * Version of the format.
   */
  schema_version: 2;
  split: Split;
  num_sentences: number;
  num_images: number;
  /**
   * Evaluated images by the published collection that they come from, judging by their names; absent in files of earlier versions.
   */
  image_origins?: ImageOriginCount[];
  /**
   * Confidence level of every interval: 1 - alpha.
   */
  confidence: number;
  /**
   * The smallest difference of acc_at_50 that matters, as a fraction; null if the experiment declares none.
   */
  smallest_difference: number | null;
  /**
   * Label of the declared configuration that the others are compared with.
   */
  baseline: string | null;
  /**
   * Number of resamples of the images, for the intervals of ranks and the optimism.
   */
  num_resamples: number;
  /**
   * Sorted by acc_at_50 on val, the best first; upper bounds (ground-truth boxes) last.
   */
  settings: SettingSummary[];
  /**
   * Subsets of the split with expressions, in the order of the report.
   */
  subsets: SubsetSummary[];
  /**
   * Same-category chance: the mean of 1 / num_same_category where it is known; null where it is known for no expression.
   */
  chance_acc_at_50: number | null;
  /**
   * The best configuration on val with each other one, and the declared baseline with each other one; no upper bounds.
   */
  comparisons: Comparison[];
  /**
   * The same pairs as `comparisons` on every subset of at least 30 images.
   */
  subset_comparisons: SubsetComparison[];
  /**
   * How much the acc_at_50 of the best on val flatters itself, since it was chosen by it, as a fraction; null on other splits and with one configuration.
   */
  optimism: number | null;
  verdict: Verdict;
  floors: Floor[];
  gallery: Gallery;
  /**
   * An example of each class of error of the best configuration (first seed), each in an image of its own.
   */
  error_examples: ErrorExample[];
  /**
   * What the order of the configurations, and so the best, was chosen by: acc_at_50 on val, or on this split (then all pairs are a family of comparisons). Absent in files of earlier versions: val.
   */
  selection?: "val" | "this_split";
  /**
   * Null or absent without a list of reviewed expressions.
   */
  reviewed?: Reviewed | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ImageOriginCount".
 */
export interface ImageOriginCount {
  origin: ImageOrigin;
  num_images: number;
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
   * All metrics of each subset; empty when the dataset has no subsets.
   */
  strata: StratumSummary[];
  breakdowns: Breakdown[];
  /**
   * Mean over categories.
   */
  category_macro_acc_at_50: number;
  /**
   * `results`: answers of an outside model.
   */
  kind: "cliprpn" | "baseline" | "results";
  /**
   * Quality of a baseline's proposals; null for a ClipRPN, which proposes and ranks boxes in one step.
   */
  proposals: ProposalSummary | null;
  /**
   * Seeds of the completed trials.
   */
  seeds: number[];
  num_planned_seeds: number;
  /**
   * True for ground-truth boxes, which no model has.
   */
  is_upper_bound: boolean;
  population: Population;
  /**
   * Standard deviation (n - 1) of acc_at_50 between seeds; null with fewer than two, and for a baseline.
   */
  seed_sd: number | null;
  /**
   * Interval of the rank among the configurations that are not upper bounds, 1 is the best; null for an upper bound, and with fewer than 30 images.
   */
  rank: RankInterval | null;
  /**
   * The configuration with an empty expression: its image-only answers, paired; null where they are unknown.
   */
  blank: BlankAnswers | null;
  /**
   * Fraction of expressions with an IoU of at least t, t = 0.05, 0.10, ..., 0.95.
   */
  accuracy_at_iou: AccuracyAtIou[];
  /**
   * True if the best epoch is the last one in most seeds, and its mean gain on val is above half the detectable difference; null if nothing is trained or epochs are unknown.
   */
  still_rising: boolean | null;
  /**
   * Every class; the fractions add up to 1.
   */
  error_classes: ErrorClass[];
  /**
   * Of the score; null if a score is not finite.
   */
  calibration: Calibration | null;
  /**
   * What differs between the runs of an outside model; absent or null for others.
   */
  repeats?: Repeats | null;
  /**
   * Acc@0.5 by the conventions of other programs, mean over runs; absent in files of earlier versions.
   */
  conventions?: ConventionFigure[];
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
   * Number of minimal pairs in the subset.
   */
  num_pairs: number;
  figures: Figure[];
}
/**
 * acc_at_50 on a subset of the referring expressions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Breakdown".
 */
export interface Breakdown {
  by: SubsetKind;
  group: string;
  num_sentences: number;
  interval: Interval;
}
/**
 * The quality of a baseline's boxes, independent of how they are ranked.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ProposalSummary".
 */
export interface ProposalSummary {
  /**
   * Fraction of referring expressions with a hit among the k boxes with the highest detector scores, which ignore the expression.
   */
  recall_at: ProposalRecall[];
  best_proposal: Interval2;
  lost_by_proposals: Interval3;
  lost_by_ranking: Interval4;
  mean_num_boxes: number;
  /**
   * Images without detections; the whole image is their prediction.
   */
  num_images_without: number;
  num_sentences_without: number;
}
export interface ProposalRecall {
  k: number;
  interval: Interval;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval2 {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval3 {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval4 {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RankInterval".
 */
export interface RankInterval {
  low: number;
  high: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BlankAnswers".
 */
export interface BlankAnswers {
  acc_at_50: Interval;
  difference: Interval5;
  /**
   * Two-sided; null with fewer than 30 images.
   */
  p_value: number | null;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval5 {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AccuracyAtIou".
 */
export interface AccuracyAtIou {
  iou: number;
  value: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ErrorClass".
 */
export interface ErrorClass {
  error_class: ErrorClassName;
  /**
   * Mean over seeds.
   */
  num_sentences: number;
  fraction: Interval;
  /**
   * Examples in the first seed, each in another image: those of most seeds first, then those with the highest score. Empty for hits.
   */
  sent_ids: number[];
}
/**
 * How well the score of an answer tells whether it is a hit. Scores of different configurations are not comparable.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Calibration".
 */
export interface Calibration {
  /**
   * Quantile bins of each seed's scores, lowest first; the answers of all seeds.
   */
  bins: ReliabilityBin[];
  /**
   * Monotone fit of hits on scores, of the answers of all seeds; linear between its knots.
   */
  fit: FitKnot[];
  /**
   * Mean distance of score and fraction of hits over the bins; null unless scores lie in [0, 1].
   */
  expected_calibration_error: number | null;
  /**
   * Fraction of misses among the answers with the highest scores, by their share of all; mean over seeds.
   */
  risk_coverage: RiskAtCoverage[];
  /**
   * Area under the risk-coverage curve; mean over seeds.
   */
  aurc: number;
  /**
   * `aurc` minus that of the best order of the same answers.
   */
  e_aurc: number;
}
export interface ReliabilityBin {
  mean_score: number;
  /**
   * Mean over seeds.
   */
  num_sentences: number;
  hits: Interval6;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval6 {
  mean: number;
  low: number | null;
  high: number | null;
}
export interface FitKnot {
  score: number;
  probability: number;
}
export interface RiskAtCoverage {
  coverage: number;
  risk: number;
}
export interface ConventionFigure {
  convention: Convention;
  acc_at_50: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SubsetSummary".
 */
export interface SubsetSummary {
  by: SubsetKind;
  group: string;
  num_sentences: number;
  num_images: number;
  num_pairs: number;
  /**
   * Same-category chance; null where num_same_category is unknown for all.
   */
  chance: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Comparison".
 */
export interface Comparison {
  label: string;
  against: string;
  difference: Interval7;
  population: Population;
  /**
   * Two-sided, unadjusted; null with fewer than 30 images.
   */
  p_value: number | null;
  /**
   * By Holm: over all pairs of configurations on val, over the comparisons of the best on other splits; null with fewer than 30 images.
   */
  p_adjusted: number | null;
  /**
   * True if both hit the same expressions.
   */
  same_answers: boolean;
  /**
   * The smallest true difference that is found with a power of 80 %; null with fewer than 30 images, and if it is 1 or more.
   */
  detectable: number | null;
  /**
   * True if the interval of confidence 1 - 2 alpha, 90 % by default, lies within the smallest difference that matters; null if that is not declared.
   */
  equivalent: boolean | null;
  /**
   * Probability that a new run of `label` beats a new run of `against`.
   */
  chance_new_run_ahead: number | null;
  /**
   * Seeds of each that would detect, with these images, the smallest difference that matters; the observed difference if none is declared. Null if no number suffices, and for checkpoints.
   */
  num_seeds_needed: number | null;
  /**
   * Images that would detect the same with these seeds; null if no number suffices.
   */
  num_images_needed: number | null;
  /**
   * Cross-checks that decide nothing; null but for the ten nearest rivals.
   */
  checks: CrossChecks | null;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval7 {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CrossChecks".
 */
export interface CrossChecks {
  /**
   * Sign flips by image.
   */
  sign_flip_p: number;
  /**
   * Wilcoxon signed-rank by image.
   */
  wilcoxon_p: number;
  /**
   * Exact McNemar for each common position in the lists of seeds.
   */
  mcnemar_p: number[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SubsetComparison".
 */
export interface SubsetComparison {
  label: string;
  against: string;
  by: SubsetKind;
  group: string;
  difference: Interval;
  population: Population;
  p_value: number;
  /**
   * By Holm over the subsets and rivals of `label`; null for terciles of this split, which overlap the fixed ones and are not tested.
   */
  p_adjusted: number | null;
}
/**
 * What the data support, decided by the rules of docs/statistics.md.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Verdict".
 */
export interface Verdict {
  case: VerdictCase;
  /**
   * The best configuration on val.
   */
  best: string;
  /**
   * The nearest one, or the one that the sentence is about.
   */
  rival: string | null;
  /**
   * Rivals that the best outperforms.
   */
  beaten: string[];
  /**
   * Rivals without a significant difference.
   */
  open: string[];
  /**
   * Rivals that are significantly better than the best on val (Holm).
   */
  ahead: string[];
  /**
   * True if the best outperforms the rival, but possibly by less than the smallest difference that matters.
   */
  possibly_too_small: boolean;
  remarks: Remark[];
}
/**
 * A configuration of the sentence has fewer seeds than planned.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SeedsRemark".
 */
export interface SeedsRemark {
  kind: "seeds";
  label: string;
  num_completed: number;
  num_planned: number;
}
/**
 * The best is significantly behind on a subset (Holm over subsets and rivals).
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BehindRemark".
 */
export interface BehindRemark {
  kind: "behind";
  against: string;
  by: SubsetKind;
  group: string;
  difference: Interval8;
}
/**
 * Mean over seeds and its confidence interval; low and high are null with fewer than 30 images.
 */
export interface Interval8 {
  mean: number;
  low: number | null;
  high: number | null;
}
/**
 * The best is below same-category chance on a subset, or on the split (null).
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BelowChanceRemark".
 */
export interface BelowChanceRemark {
  kind: "below_chance";
  by: SubsetKind | null;
  group: string | null;
  acc_at_50: Interval;
  chance: number;
}
/**
 * The best is not significantly above its own image-only answers.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BlankRemark".
 */
export interface BlankRemark {
  kind: "not_above_blank";
  difference: Interval;
}
/**
 * Configurations of the sentence that were still improving at their last epoch.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RisingRemark".
 */
export interface RisingRemark {
  kind: "still_rising";
  labels: string[];
}
/**
 * A baseline that ignores the expression, on this split.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Floor".
 */
export interface Floor {
  /**
   * `constant_box` is fitted on train.
   */
  name: "constant_box" | "whole_image";
  acc_at_50: Interval;
  miou: Interval;
}
/**
 * Examples of the first run of the best configuration and of another one, selected by fixed rules. No image is shown twice.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Gallery".
 */
export interface Gallery {
  /**
   * The best configuration on val.
   */
  label: string;
  /**
   * Of the shown run; null for a baseline.
   */
  seed: number | null;
  /**
   * The declared baseline, else the nearest rival; null if there is no other configuration.
   */
  against: string | null;
  against_seed: number | null;
  /**
   * False if the dataset has no images, and no example can be shown.
   */
  has_images: boolean;
  groups: GalleryGroup[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "GalleryGroup".
 */
export interface GalleryGroup {
  kind: GalleryKind;
  subset: GallerySubset | null;
  /**
   * Number of expressions or pairs of this kind in the first run.
   */
  num_found: number;
  /**
   * Number of expressions or pairs of the split, or of the subset.
   */
  num_total: number;
  examples: GalleryExample[];
}
export interface GallerySubset {
  by: SubsetKind;
  group: string;
}
export interface GalleryExample {
  /**
   * One, or the two of a minimal pair.
   *
   * @minItems 1
   */
  cases: [Case, ...Case[]];
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
   * True if the boxes are in the coordinate frame of the image after its EXIF rotation.
   */
  upright: boolean;
}
export interface CasePrediction {
  label: string;
  pred_box_xyxy: BoxXyxy;
  iou: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ErrorExample".
 */
export interface ErrorExample {
  error_class: ErrorClassName;
  sent_id: number;
  /**
   * Absolute path.
   */
  image_file: string;
  /**
   * True if the boxes are in the coordinate frame of the image after its EXIF rotation.
   */
  upright: boolean;
  sentence: string;
  gt_box_xyxy: BoxXyxy;
  pred_box_xyxy: BoxXyxy;
  iou: number;
}
/**
 * Figures on the expressions of a list, such as reviewed annotations, beside those on all.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Reviewed".
 */
export interface Reviewed {
  name: string;
  num_sentences: number;
  num_images: number;
  /**
   * In the order of `settings`; ranks by acc_at_50.
   */
  settings: ReviewedFigure[];
  /**
   * The pairs of `comparisons` on these expressions.
   */
  comparisons: SubsetComparison[];
  /**
   * True if a rank differs.
   */
  order_changes: boolean;
}
export interface ReviewedFigure {
  label: string;
  acc_at_50: Interval;
  rank_all: number;
  rank_reviewed: number;
}
export interface IntervalsSoFarMethod {
  params: IntervalsSoFarParams;
  result: IntervalsSoFar;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "IntervalsSoFarParams".
 */
export interface IntervalsSoFarParams {
  split: Split;
  configurations: CompletedConfiguration[];
  confidence: number;
}
export interface CompletedConfiguration {
  /**
   * Whether training again gives another result.
   */
  has_seeds: boolean;
  /**
   * Folders that contain predictions-<split>.parquet, one for each completed trial.
   *
   * @minItems 1
   */
  predictions_dirs: [string, ...string[]];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "IntervalsSoFar".
 */
export interface IntervalsSoFar {
  /**
   * Of Acc@0.5, in the order of the configurations; null where the data supports none.
   */
  intervals: (IntervalSoFar | null)[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "IntervalSoFar".
 */
export interface IntervalSoFar {
  low: number;
  high: number;
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
   * A .safetensors file with a .json file of the same name.
   */
  model: string;
  /**
   * `shipped`, `openai` or a file; null for the file that the model recorded.
   */
  backbone_weights: string | null;
  sentence: string;
  /**
   * Absolute path of the manifest.json of a folder of pixels with exactly one image.
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
   * Score of the box, in [0, 1].
   */
  objectness: number;
  /**
   * Probability that the IoU with the object is at least 0.5, by a fit of hits on val to the score; null if the model has no such fit.
   */
  hit_probability: number | null;
  /**
   * True if the score is at least the smallest one whose hit_probability is 0.5; null if hit_probability is null.
   */
  sure: boolean | null;
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
   * The CLIP weights in the checkpoint, if any.
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
 * Reads and checks the annotations, without the images.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReadAnnotationsParams".
 */
export interface ReadAnnotationsParams {
  source: AnnotationSource;
  /**
   * Absolute path of an ImageNames file; images get the names that it gives them, and those of one file become one image. Absent: names stay as they are.
   */
  image_names_file?: string | null;
  /**
   * Absolute path; receives the images inside the annotations as files. Absent: they are there, or the annotations only name images.
   */
  images_folder?: string | null;
  /**
   * Absolute path; receives the list of required images as JSON.
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
   * Folder of a prepared dataset.
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
export interface ExportQuestionsMethod {
  params: ExportQuestionsParams;
  result: ExportDatasetResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportQuestionsParams".
 */
export interface ExportQuestionsParams {
  /**
   * Folder of a prepared dataset.
   */
  root: string;
  /**
   * Null: all.
   */
  split: Split | null;
  /**
   * Absolute path of a list of ids, as for `prepare --only`; null: all expressions.
   */
  only: string | null;
  /**
   * `{expression}` or `{}` stands for the expression, `{coordinates}` for how the box is to be written, `{width}` and `{height}` for the size of the image.
   */
  prompt: string;
  /**
   * That the prompt asks for, such as `xyxy_1000` or `xyxy@long:1024`.
   */
  coordinates: string;
  /**
   * Relative: to the folder of the images.
   */
  image_paths: "absolute" | "relative";
  out_file: string;
}
export interface CompareDatasetsMethod {
  params: CompareDatasetsParams;
  result: CompareDatasetsResult;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CompareDatasetsParams".
 */
export interface CompareDatasetsParams {
  /**
   * Keeps the hashes of images.
   */
  cache_dir: string;
  /**
   * Folders of prepared datasets.
   */
  roots: string[];
}
/**
 * Images that datasets share by their content.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CompareDatasetsResult".
 */
export interface CompareDatasetsResult {
  /**
   * Of each dataset.
   */
  num_images: number[];
  /**
   * Images of each dataset whose files cannot be read: they are compared by their prepared pixels only.
   */
  num_missing_files: number[];
  /**
   * Images of each dataset without pixels to compare.
   */
  num_without_pixels: number[];
  /**
   * The compared pixels: the folder of a prepared size, such as `squash-224`, or `files` for the decoded files.
   */
  pixels: string;
  pairs: SharedImages[];
}
/**
 * Images that a split of one dataset and a split of another share.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SharedImages".
 */
export interface SharedImages {
  /**
   * Position of a dataset in `roots`.
   */
  first: number;
  second: number;
  first_split: Split;
  second_split: Split;
  /**
   * Images of the first split.
   */
  num_first: number;
  num_second: number;
  /**
   * Images of the second split whose file has the same bytes as one of the first.
   */
  num_same_file: number;
  /**
   * Other images of the second split with the same pixels as one of the first.
   */
  num_same_pixels: number;
  /**
   * The file names of some of them.
   */
  examples: SharedExample[];
}
export interface SharedExample {
  first: string;
  second: string;
}
export interface JoinDatasetsMethod {
  params: JoinDatasetsParams;
  result: JoinDatasetsResult;
}
/**
 * Train splits of several datasets to join, without the images of evaluation splits. Folders are those of prepared datasets.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "JoinDatasetsParams".
 */
export interface JoinDatasetsParams {
  /**
   * The datasets whose train splits are joined.
   *
   * @minItems 1
   */
  parts: [DatasetFolder, ...DatasetFolder[]];
  val: DatasetFolder1;
  /**
   * Splits whose images are left out of train.
   */
  excluded: ExcludedFolder[];
  /**
   * A folder that contains the image folders of all datasets; names of images are relative to it.
   */
  images_dir: string;
  /**
   * Receives annotations/instances.json and annotations/refs(own).p; null to count only.
   */
  out_dir: string | null;
  /**
   * Keeps the hashes of images.
   */
  cache_dir: string;
}
/**
 * A prepared dataset; an error if the folder has another one by now.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetFolder".
 */
export interface DatasetFolder {
  id: string;
  root: string;
}
/**
 * A prepared dataset; an error if the folder has another one by now.
 */
export interface DatasetFolder1 {
  id: string;
  root: string;
}
export interface ExcludedFolder {
  dataset: DatasetFolder;
  splits: Split[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "JoinDatasetsResult".
 */
export interface JoinDatasetsResult {
  /**
   * Images to train on.
   */
  num_images: number;
  /**
   * Referring expressions to train on.
   */
  num_sentences: number;
  /**
   * Images of the train splits that an evaluation split has, too.
   */
  num_images_left_out: number;
  num_sentences_left_out: number;
  /**
   * Images of val, which chooses the model, that one of the test splits has, too.
   */
  num_val_images_tested: number;
  /**
   * The frame of the boxes of rotated images.
   */
  orientation: "stored" | "upright";
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
   * Folder of a prepared dataset.
   */
  root: string;
  /**
   * If true, images are also compared by their pixels, which reads every image.
   */
  hash_pixels: boolean;
}
/**
 * Statistics of a prepared dataset, as shown by `dataset show` and `dataset check`.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetStats".
 */
export interface DatasetStats {
  facts: PreparedDataset;
  /**
   * Objects of all images.
   */
  num_objects: number;
  /**
   * Images by the published collection that they come from, judging by their names, most frequent first; absent in files of earlier versions.
   */
  image_origins?: ImageOriginCount[];
  /**
   * Images whose file name marks them as COCO train2014.
   */
  num_coco_train2014: number;
  /**
   * The bins of `word_histogram`.
   */
  word_bins: WordBin[];
  /**
   * Cut points of a box's area as a fraction of its image: RefCOCOg's terciles, and the terciles of this dataset; null where the image size is unknown.
   */
  area_cuts: AreaCuts | null;
  splits: SplitStats[];
  /**
   * One entry per pair of splits.
   */
  overlaps: SplitOverlap[];
  table_checks: TableCheck[];
  /**
   * A seeded sample over splits, categories and areas, for the contact sheet.
   */
  examples: SentenceExample[];
}
/**
 * `dataset.json` of a prepared dataset, written last. The same folder has images.parquet, sentences.parquet, objects.parquet, and pixels/ with one folder per size.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparedDataset".
 */
export interface PreparedDataset {
  format_version: 1;
  /**
   * Hash of the annotations, and of the images if the dataset was prepared by `cliprpn prepare`; part of a trial's identity.
   */
  id: string;
  name: string;
  split_by: SplitBy;
  source: AnnotationSource;
  annotation_files: SourceFile[];
  /**
   * Absolute path of the folder with the images; null for a dataset without images.
   */
  images_dir: string | null;
  /**
   * The folders of the images, where there are several, or where they are those of a split; all of them are below `images_dir`.
   */
  image_folders?: ImageFolder[] | null;
  /**
   * Images with more pixels are rejected.
   */
  max_pixels: number;
  /**
   * True if symbolic links that point outside the image folder were followed.
   */
  follow_links: boolean;
  /**
   * True if missing or broken images were skipped, with their refs.
   */
  allow_missing: boolean;
  /**
   * Hash of the names, sizes, frames and problems of all images: when it changes, the tables are rebuilt.
   */
  pictures_sha256: string;
  dropped: DatasetCounts;
  /**
   * The first of the images that cannot be used, with the place in the annotations and the reason, one line each; absent if there are none.
   */
  skipped?: string[] | null;
  splits: SplitCounts[];
  /**
   * How referring expressions were assigned to splits.
   */
  split_rule: string;
  /**
   * Counts that differ from the published table, one line each.
   */
  deviations: string[];
  /**
   * Unusual data that was kept, one line each.
   */
  notes: string[];
  /**
   * One entry per published split of which the rows have an expression; absent if the rows were not matched with a published dataset.
   */
  matched?: MatchedSplit[] | null;
  joint?: JointFacts;
  /**
   * What may make results wrong and cannot be known from the files, one line each; absent in datasets of earlier versions.
   */
  warnings?: string[] | null;
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
export interface ImageFolder {
  /**
   * Absolute path.
   */
  folder: string;
  /**
   * The split whose images it has; null for any.
   */
  split: Split | null;
}
/**
 * What a joint training set was made from; absent for any other dataset.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "JointFacts".
 */
export interface JointFacts {
  /**
   * The datasets whose train splits were joined.
   */
  parts: DatasetRef[];
  val: DatasetRef;
  /**
   * The splits whose images were left out of train.
   */
  excluded: ExcludedDataset[];
  /**
   * Images to train on.
   */
  num_images: number;
  num_sentences: number;
  /**
   * Images of the train splits that an evaluation split has, too.
   */
  num_images_left_out: number;
  num_sentences_left_out: number;
  /**
   * Images of val, which chooses the model, that one of the test splits has, too.
   */
  num_val_images_tested: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetRef".
 */
export interface DatasetRef {
  id: string;
  name: string;
}
export interface ExcludedDataset {
  id: string;
  name: string;
  splits: Split[];
  /**
   * Of its images then; with others, the training set is made again.
   */
  pictures_sha256: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WordBin".
 */
export interface WordBin {
  min_words: number;
  /**
   * Inclusive; null when there is no upper limit.
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
 * Statistics of one split. Fractions and quantiles are over its referring expressions unless stated otherwise.
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
   * Number of referring expressions in each of `word_bins`.
   */
  word_histogram: number[];
  /**
   * Number of referring expressions with the word left or right.
   */
  num_left_right: number;
  num_non_ascii: number;
  /**
   * Rows with the same object and referring expression as an earlier row.
   */
  num_repeated: number;
  /**
   * Areas of the boxes as fractions of their images; null where the image size is unknown.
   */
  areas: AreaStats | null;
  same_category: SameCategory;
  num_categories: number;
  /**
   * The most frequent first.
   */
  top_categories: CategoryCount[];
  objects_per_image: Quantiles1;
  /**
   * Aspect ratio (width / height), over images.
   */
  aspects: Quantiles | null;
  /**
   * Baselines that ignore the expression; empty where the image size is unknown.
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
 * Fractions of small, medium and large boxes by RefCOCOg's terciles.
 */
export interface AreaShares {
  small: number;
  medium: number;
  large: number;
}
/**
 * The same fractions, by the terciles of this dataset.
 */
export interface AreaShares1 {
  small: number;
  medium: number;
  large: number;
}
/**
 * Referring expressions by the number of objects in the image that have the category of the referred object, including that object.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SameCategory".
 */
export interface SameCategory {
  one: number;
  two: number;
  three_or_more: number;
  /**
   * The category of the object is unknown.
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
   * The whole image, or the constant box that fits the train split best.
   */
  name: "whole_image" | "constant_box";
  miou: number;
  acc_at_50: number;
}
/**
 * The overlap of two splits.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SplitOverlap".
 */
export interface SplitOverlap {
  first: Split;
  second: Split;
  /**
   * Images of the second split that are also in the first, by id or by file name.
   */
  num_images: number;
  /**
   * Images of the second split whose prepared pixels equal those of a different image of the first; null when pixels were not compared.
   */
  num_identical_pixels: number | null;
  num_refs: number;
  num_objects: number;
  /**
   * Referring expressions of the second split with the image, the box and the words of one of the first.
   */
  num_sentences: number;
  /**
   * File names of a few shared images.
   */
  examples: string[];
}
/**
 * One check of the tables.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TableCheck".
 */
export interface TableCheck {
  expected: string;
  num_checked: number;
  num_wrong: number;
  /**
   * A few examples of failures.
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
   * Empty when unknown.
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
   * Absolute path in the cache.
   */
  weights_file: string;
  /**
   * False when it already existed.
   */
  trained: boolean;
}
export interface CheckExtraMethod {
  params: CheckExtraParams;
  result: CheckExtraResult;
}
/**
 * Computes something small with the packages of an extra.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckExtraParams".
 */
export interface CheckExtraParams {
  name: ExtraName;
  cache_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckExtraResult".
 */
export interface CheckExtraResult {
  name: ExtraName;
}
export interface CheckDetectorMethod {
  params: CheckDetectorParams;
  result: CheckDetectorResult;
}
/**
 * Opens the detector, so that its problems are found before the first trial.
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
   * Null when its boxes have no class.
   */
  num_classes: number | null;
}
export interface ReadAnswersMethod {
  params: ReadAnswersParams;
  result: ReadAnswersResult;
}
/**
 * Reads one file of answers, matches it with the expressions of each target, and writes predictions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReadAnswersParams".
 */
export interface ReadAnswersParams {
  /**
   * Absolute path.
   */
  file: string;
  reading: AnswerReading;
  /**
   * @minItems 1
   */
  targets: [AnswerTarget, ...AnswerTarget[]];
}
/**
 * A split that a file has answers for.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AnswerTarget".
 */
export interface AnswerTarget {
  dataset: TrialDataset;
  split: Split;
  /**
   * Absolute path; receives predictions-<split>.parquet.
   */
  out_dir: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReadAnswersResult".
 */
export interface ReadAnswersResult {
  /**
   * One for each target.
   */
  reports: AnswersReport[];
}
export interface CombineMethod {
  params: CombineParams;
  result: Combined;
}
/**
 * Figures of models over several splits or datasets: rule 14 of docs/statistics.md.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CombineParams".
 */
export interface CombineParams {
  /**
   * @minItems 1
   */
  endpoints: [EndpointParams, ...EndpointParams[]];
  baseline: string | null;
  smallest_difference: number | null;
  alpha: number;
  cache_dir: string;
}
export interface EndpointParams {
  /**
   * Such as `refcoco-unc:testA`.
   */
  name: string;
  dataset: TrialDataset;
  split: Split;
  /**
   * True if it is part of the primary endpoint, the unweighted mean over these.
   */
  in_primary: boolean;
  /**
   * The models that have answers here.
   *
   * @minItems 1
   */
  groups: [TrialGroup, ...TrialGroup[]];
}
/**
 * Models over several splits or datasets, by acc_at_50: images of all datasets are resampled together, as the same image may be in several.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Combined".
 */
export interface Combined {
  /**
   * Version of the format.
   */
  schema_version: 1;
  confidence: number;
  smallest_difference: number | null;
  baseline: string | null;
  /**
   * Different images of the primary endpoint.
   */
  num_images: number;
  endpoints: Endpoint[];
  /**
   * Those with answers on all of the primary endpoint first, the best first.
   */
  settings: CombinedSetting[];
  /**
   * The best with each other one, and the declared baseline with each other one, on the primary endpoint.
   */
  comparisons: CombinedComparison[];
  /**
   * How much the figure of the best flatters itself, since it was chosen by it; null with one model, or if it was chosen on val and the primary endpoint is not val.
   */
  optimism: number | null;
  /**
   * What the best was chosen by: acc_at_50 on val, or the primary endpoint.
   */
  selection: "val" | "primary";
  verdict: Verdict;
  /**
   * What is not known of the images, one line each; absent in combined figures of earlier versions, and if there is nothing.
   */
  notes?: string[] | null;
}
export interface Endpoint {
  name: string;
  dataset_name: string;
  split: Split;
  num_sentences: number;
  num_images: number;
  /**
   * False for a split that was not named so, and for one with fewer than 30 images: it stands in a column of its own.
   */
  in_primary: boolean;
}
export interface CombinedSetting {
  label: string;
  kind: "cliprpn" | "baseline" | "results";
  is_upper_bound: boolean;
  population: Population;
  /**
   * Seeds or files.
   */
  num_runs: number;
  /**
   * Null without answers on all of it.
   */
  primary: Interval | null;
  /**
   * In the order of `endpoints`; null without answers.
   */
  per_endpoint: (Interval | null)[];
}
export interface CombinedComparison {
  label: string;
  against: string;
  difference: Interval;
  population: Population;
  p_value: number | null;
  /**
   * By Holm over all pairs.
   */
  p_adjusted: number | null;
  same_answers: boolean;
  detectable: number | null;
  equivalent: boolean | null;
  /**
   * In the order of `endpoints`.
   */
  per_endpoint: (EndpointComparison | null)[];
  /**
   * Endpoints where `label` is ahead: all that were compared, if each p-value is below alpha; otherwise those whose adjusted p-value is.
   */
  ahead_on: string[];
  /**
   * Endpoints where `label` is behind, by adjusted p-values.
   */
  behind_on: string[];
  ahead_on_all: boolean;
}
export interface EndpointComparison {
  difference: Interval;
  p_value: number | null;
  /**
   * By Holm over the endpoints of this pair.
   */
  p_adjusted: number | null;
}
export interface AuditMethod {
  params: AuditParams;
  result: AuditSummary;
}
/**
 * Asks the runs of a configuration about changed expressions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AuditParams".
 */
export interface AuditParams {
  label: string;
  dataset: TrialDataset;
  split: Split;
  alpha: number;
  seed: number;
  /**
   * Expressions to show word by word; empty: chosen by a fixed rule.
   */
  sent_ids: number[];
  /**
   * @minItems 1
   */
  runs: [AuditRun, ...AuditRun[]];
  cache_dir: string;
}
export interface AuditRun {
  /**
   * The trial; null for a model file that no trial trained here.
   */
  spec: TrialSpec | null;
  /**
   * A .safetensors file; null for a baseline.
   */
  model: string | null;
}
export interface ExportChangesMethod {
  params: ExportChangesParams;
  result: ExportChangesResult;
}
/**
 * Writes the changed expressions as questions for an outside model, JSON Lines, as `ExportQuestionsParams` does.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportChangesParams".
 */
export interface ExportChangesParams {
  dataset: TrialDataset;
  split: Split;
  seed: number;
  /**
   * Expressions whose words are all dropped, beside those chosen by a fixed rule.
   */
  sent_ids: number[];
  /**
   * `{expression}` or `{}` stands for the expression, `{coordinates}` for how the box is to be written, `{width}` and `{height}` for the size of the image.
   */
  prompt: string;
  /**
   * That the prompt asks for, such as `xyxy_1000` or `xyxy@long:1024`.
   */
  coordinates: string;
  /**
   * Relative: to the folder of the images.
   */
  image_paths: "absolute" | "relative";
  out_file: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportChangesResult".
 */
export interface ExportChangesResult {
  num_questions: number;
  num_expressions: number;
}
export interface AuditAnswersMethod {
  params: AuditAnswersParams;
  result: AuditAnswersResult;
}
/**
 * The same figures of an outside model, from its answers to exported questions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AuditAnswersParams".
 */
export interface AuditAnswersParams {
  label: string;
  dataset: TrialDataset;
  split: Split;
  alpha: number;
  seed: number;
  /**
   * Expressions to show word by word; empty: chosen by a fixed rule.
   */
  sent_ids: number[];
  /**
   * @minItems 1
   */
  files: [string, ...string[]];
  reading: AnswerReading;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "AuditAnswersResult".
 */
export interface AuditAnswersResult {
  summary: AuditSummary;
  /**
   * Of each file; its expressions are the questions.
   */
  reports: AnswersReport[];
}
export interface DescribeMachineMethod {
  params: DescribeMachineParams;
  result: MachineDescription;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DescribeMachineParams".
 */
export interface DescribeMachineParams {}
/**
 * The Python process of the checks, and its device.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MachineDescription".
 */
export interface MachineDescription {
  environment: Environment;
  /**
   * All that torch finds.
   */
  devices: string[];
  /**
   * Of a CUDA device; null for others.
   */
  device_memory_bytes: number | null;
  /**
   * That torch was built with; null for a build without CUDA.
   */
  cuda_version: string | null;
}
export interface SampleExpressionsMethod {
  params: SampleExpressionsParams;
  result: SampleExpressionsResult;
}
/**
 * Chooses referring expressions of train and val to look at.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SampleExpressionsParams".
 */
export interface SampleExpressionsParams {
  /**
   * Folder of a prepared dataset.
   */
  root: string;
  num_expressions: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SampleExpressionsResult".
 */
export interface SampleExpressionsResult {
  /**
   * Each of a different image; fewer than asked for if the dataset has fewer.
   */
  examples: SentenceExample[];
  /**
   * Of the expressions of all splits.
   */
  num_boxes: number;
  /**
   * The first of them: image, box and sentence.
   */
  outside: string[];
  /**
   * Expressions whose boxes are not inside their image, or have no area.
   */
  num_outside: number;
}
export interface PreflightCheckMethod {
  params: PreflightCheckParams;
  result: PreflightFinding;
}
/**
 * One check of `cliprpn preflight`, on a small part of a trial.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreflightCheckParams".
 */
export interface PreflightCheckParams {
  check: "weights" | "crops" | "overfit" | "parity" | "baseline";
  spec: TrialSpec;
  /**
   * An existing folder for temporary files, which the caller removes.
   */
  scratch_dir: string;
  /**
   * Ends the training of the check `overfit`.
   */
  overfit_limit_s: number;
}
/**
 * What a check found.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreflightFinding".
 */
export interface PreflightFinding {
  status: PreflightStatus;
  /**
   * One line, without the status.
   */
  found: string;
  /**
   * What to do about a failure; null if it did not fail.
   */
  fix: string | null;
  figures: PreflightFigure[];
}
/**
 * A number that a check measured.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreflightFigure".
 */
export interface PreflightFigure {
  name: string;
  value: number;
  /**
   * Empty for a plain number.
   */
  unit: string;
  /**
   * Smallest value that passes; null for no limit.
   */
  low: number | null;
  /**
   * Largest value that passes; null for no limit.
   */
  high: number | null;
}
export interface MeasureSpeedMethod {
  params: MeasureSpeedParams;
  result: SpeedMeasurement;
}
/**
 * Trains a trial's model for some steps on a sample, and times its parts; nothing is kept.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MeasureSpeedParams".
 */
export interface MeasureSpeedParams {
  spec: ClipRpnSpec;
  /**
   * Steps to time, after a warm-up.
   */
  num_steps: number;
  /**
   * Fewer steps are timed if they take longer.
   */
  limit_ms: number;
  /**
   * An existing folder for temporary files, which the caller removes.
   */
  scratch_dir: string;
  targets: MeasuredTarget[];
}
/**
 * A split that trials are evaluated on besides val.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MeasuredTarget".
 */
export interface MeasuredTarget {
  dataset: TrialDataset;
  split: Split;
}
/**
 * What a trial's steps, evaluation and features take on this machine, measured on a sample.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SpeedMeasurement".
 */
export interface SpeedMeasurement {
  /**
   * Steps that were timed.
   */
  num_steps: number;
  /**
   * Expressions of a step.
   */
  batch_size: number;
  step: Timing;
  selection: Timing1;
  prediction: Timing2;
  image: Timing3;
  /**
   * Extracting that of one image in an augmented view; null without views.
   */
  view: Timing | null;
  sentence: Timing4;
  save: Timing5;
  /**
   * Images that `image` is measured on.
   */
  num_sampled_images: number;
  /**
   * One image's feature map, on disk and in memory.
   */
  map_bytes: number;
  /**
   * The features of one expression, on average in the sample.
   */
  sentence_bytes: number;
  /**
   * The stored prediction for one expression, on average in the sample.
   */
  prediction_bytes: number;
  /**
   * Size of one saved model.
   */
  checkpoint_bytes: number;
  /**
   * Expressions of an epoch, after limits.
   */
  num_train: number;
  /**
   * Expressions of val, after limits.
   */
  num_val: number;
  /**
   * Expressions of all splits that trials are evaluated on besides val, after limits.
   */
  num_evaluated: number;
  /**
   * Augmented views of the training images.
   */
  num_views: number;
  /**
   * Of the trial's dataset first, then of others that it is evaluated on.
   *
   * @minItems 1
   */
  features: [FeatureNeed, ...FeatureNeed[]];
  /**
   * Features of the whole dataset that are kept in the memory of the device while training; 0 on a CPU.
   */
  resident_bytes: number;
  peak_memory_bytes: PeakMemory;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Timing".
 */
export interface Timing {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing1 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing2 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing3 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing4 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing5 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * Features of one dataset that trials need. Trials with the same keys share them.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FeatureNeed".
 */
export interface FeatureNeed {
  /**
   * Folder of the cached feature maps.
   */
  maps_key: string;
  /**
   * Folder of the cached text features.
   */
  text_key: string;
  /**
   * True if they are in the cache.
   */
  has_maps: boolean;
  has_text: boolean;
  num_images: number;
  num_sentences: number;
  /**
   * Images that augmented views are made of: those of the train split.
   */
  num_view_images: number;
  /**
   * Augmented views that are not in the cache.
   */
  num_missing_views: number;
  /**
   * Mirrored sentences whose features are not in the cache.
   */
  num_missing_mirrored: number;
}
export interface MeasureBaselineMethod {
  params: MeasureBaselineParams;
  result: BaselineMeasurement;
}
/**
 * Runs a baseline on some val images, and times its parts; nothing is kept.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MeasureBaselineParams".
 */
export interface MeasureBaselineParams {
  spec: BaselineSpec;
  /**
   * An existing folder for temporary files, which the caller removes.
   */
  scratch_dir: string;
  targets: MeasuredTarget[];
}
/**
 * What a baseline takes on this machine, measured on a sample of val images.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BaselineMeasurement".
 */
export interface BaselineMeasurement {
  /**
   * Images of the sample.
   */
  num_images: number;
  shared: SharedWork[];
  sentence: Timing7;
  /**
   * The stored answer to one expression, on average in the sample.
   */
  prediction_bytes: number;
  val: BaselineSplit;
  /**
   * Other splits that it is evaluated on.
   */
  others: BaselineSplit[];
}
/**
 * Work of a baseline on each image that is kept in the cache: detections, or the embeddings of boxes in one view.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SharedWork".
 */
export interface SharedWork {
  /**
   * Baselines with the same key share it.
   */
  key: string;
  image: Timing6;
  /**
   * Size of its result on disk.
   */
  image_bytes: number;
  /**
   * True if the cache has such results, perhaps for other images.
   */
  may_be_cached: boolean;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing6 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing7 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * A split that a baseline answers.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BaselineSplit".
 */
export interface BaselineSplit {
  /**
   * Of dataset and split; work on the same one is shared.
   */
  key: string;
  num_images: number;
  num_sentences: number;
}
export interface MeasureReportMethod {
  params: MeasureReportParams;
  result: ReportMeasurement;
}
/**
 * Computes the figures of a report on made answers to all of val, and times it; nothing is kept.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MeasureReportParams".
 */
export interface MeasureReportParams {
  dataset: TrialDataset;
  /**
   * Of val; null for all.
   */
  limit: number | null;
  /**
   * Of each configuration.
   */
  num_seeds: number;
  /**
   * An existing folder for temporary files, which the caller removes.
   */
  scratch_dir: string;
  targets: MeasuredTarget[];
  /**
   * Of the dataset's test splits; null for all.
   */
  test_limit: number | null;
}
/**
 * What the figures of a report take on this machine, measured with made answers to all of val.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReportMeasurement".
 */
export interface ReportMeasurement {
  first: Timing8;
  another: Timing9;
  /**
   * Comparing two configurations over all splits; null without other splits.
   */
  splits: Timing | null;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing8 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing9 {
  ms: number;
  low_ms: number;
  high_ms: number;
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
   * Written to the log, never to the terminal.
   */
  traceback: string | null;
}
/**
 * What can be read from the first line of a trial's checkpoint, without torch.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckpointHead".
 */
export interface CheckpointHead {
  /**
   * Hash of the code that wrote it; only the same code continues it.
   */
  sources_sha256: string;
  /**
   * Training up to it, of all attempts that it continues; without the start of workers and the features.
   */
  training_ms: number;
}
/**
 * The code that decides the results of one kind of trial. Its hash is a trial's `sources_sha256`.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CodeManifest".
 */
export interface CodeManifest {
  schema_version: 1;
  kind: "cliprpn" | "baseline";
  /**
   * SHA-256 of each Python file, by its path in the Python package.
   */
  files: {
    [k: string]: string | undefined;
  };
  /**
   * Versions of each Python package in the lock files; several if they depend on the version of Python.
   */
  packages: {
    [k: string]: string | undefined;
  };
}
/**
 * The file of `cliprpn compare`.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ComparisonFile".
 */
export interface ComparisonFile {
  $schema?: string;
  name: string;
  question?: string;
  /**
   * Prepared datasets with a split, NAME:SPLIT.
   *
   * @minItems 1
   * @maxItems 50
   */
  data: [string, ...string[]];
  results: {
    [k: string]: ResultsChoice | undefined;
  };
  /**
   * The primary endpoint: one of `data`, or several, of which it is the unweighted mean. Default: all test splits of `data`; all of `data` if there is none.
   */
  primary?: string | [string, ...string[]];
  baseline?: string;
  /**
   * In percentage points.
   */
  smallest_difference?: number;
  alpha?: number;
  /**
   * A list of reviewed expressions, for all of `data`, or by NAME:SPLIT.
   */
  only?:
    | string
    | {
        [k: string]: string | undefined;
      };
  published?: PublishedResult[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ResultsObject".
 */
export interface ResultsObject {
  /**
   * A file with answers for all of `data`, several such files (repeats), or these by `NAME:SPLIT` of `data`; relative to the comparison file.
   */
  files?:
    | string
    | [string, ...string[]]
    | {
        [k: string]: string | [string, ...string[]] | undefined;
      };
  /**
   * In place of files: a trial of cliprpn, by the start of its id or its folder.
   */
  trial?: string;
  /**
   * In place of files: a sweep, or SWEEP:CONFIGURATION.
   */
  sweep?: string;
  repeats?: Repeats;
  format?: AnswerFormat;
  columns?: {
    [k: string]: string | undefined;
  };
  /**
   * Such as `xyxy`, `xywh_norm`, `xyxy_1000`, or pixels of a resized image: `xyxy@640x480`, `xyxy@long:1024`, `xyxy@short:800:1333`, `xyxy@smart:28:3136:12845056`, `xyxy@columns`.
   */
  coordinates?: string;
  force_coordinates?: boolean;
  protocol?: string | Protocol;
}
/**
 * A figure without answers, which stands beside the others, marked.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PublishedResult".
 */
export interface PublishedResult {
  label: string;
  /**
   * NAME:SPLIT.
   */
  data: string;
  metric: "acc_at_50" | "miou";
  value: number;
  source: string;
}
/**
 * comparison.json in a comparison's folder: what was compared.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredComparison".
 */
export interface StoredComparison {
  /**
   * Version of the format.
   */
  schema_version: 1;
  name: string;
  question: string;
  command: string;
  data: ComparedData[];
  models: ComparedModel[];
  baseline: string | null;
  /**
   * In percentage points.
   */
  smallest_difference: number | null;
  alpha: number;
  published: PublishedResult[];
}
export interface ComparedData {
  /**
   * NAME:SPLIT.
   */
  name: string;
  dataset: DatasetName;
  split: Split;
  in_primary: boolean;
  only: string | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ComparedModel".
 */
export interface ComparedModel {
  label: string;
  kind: "results" | "trials";
  repeats: Repeats | null;
  /**
   * Empty for files.
   */
  trial_ids: string[];
  protocol: Protocol | null;
  /**
   * By position in `data`, what was found in each file; empty for trials.
   */
  answers: AnswersOfData[];
}
export interface AnswersOfData {
  data: string;
  reports: AnswersReport[];
  /**
   * Folders in `answers/` of the runs folder, one for each file.
   */
  keys?: string[];
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
 * Every image that the annotations refer to, in order of first mention, as requested by Python.
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
   * Relative to the image folder.
   */
  file_name: string;
  /**
   * As given by the annotations, in pixels; null when unknown.
   */
  width: number | null;
  height: number | null;
  /**
   * File and line of its first mention, such as `rows.jsonl:17`; absent in files of earlier versions.
   */
  where?: string;
  /**
   * Why the image has no file; such an image is not decoded.
   */
  problem?: string | null;
}
/**
 * `image-names.json`: where the look-up found the images whose names are not paths below the image folder.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ImageNames".
 */
export interface ImageNames {
  /**
   * Splits with image folders of their own: an image of a row of one of these has the name `SPLIT<tab>NAME`, so that equal names in different folders are different images.
   */
  by_split: Split[];
  /**
   * The path below the image folder of each name that differs from it.
   */
  names: {
    [k: string]: string | undefined;
  };
  /**
   * The images with their names as the annotations give them.
   */
  written: WantedImage[];
}
/**
 * `manifest.json` of a folder of pixels, written last. Image i of the requested images is image i of the concatenated shards.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PixelsManifest".
 */
export interface PixelsManifest {
  /**
   * Changes whenever the same file would be decoded to different pixels.
   */
  preprocessing_version: string;
  image_size_px: number;
  resize: Resize;
  /**
   * Hash of the checksums of all shards.
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
   * SHA-256 of the whole file.
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
   * Size of the file when it was decoded.
   */
  bytes: number;
  mtime_ms: number;
  /**
   * In the coordinate frame of the boxes, in pixels.
   */
  width: number;
  height: number;
  /**
   * True if the file's EXIF rotation was applied.
   */
  upright: boolean;
  /**
   * The file's EXIF orientation, if it is not 1; absent in files of earlier versions.
   */
  orientation?: number | null;
  /**
   * Prepared pixels per original pixel: x_prepared = x * scale_x + left_px.
   */
  scale_x: number;
  scale_y: number;
  left_px: number;
  top_px: number;
  /**
   * Reason why the image has no pixels: missing, broken, or a different size. Its row is black.
   */
  problem: string | null;
}
/**
 * Options of the engines, by engine: in `engine` of an experiment, or in a file such as engines/lab.json. They decide where a trial runs, and are no part of its identity.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EngineOptions".
 */
export interface EngineOptions {
  $schema?: string;
  slurm?: SlurmOptions;
  ray?: RayOptions;
  queue?: QueueOptions;
}
/**
 * For `sweep --engine slurm`. The names are those of Hydra's submitit launcher. Each job of the array is one worker, which runs one trial after the other.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SlurmOptions".
 */
export interface SlurmOptions {
  partition?: SlurmName;
  account?: SlurmName;
  qos?: SlurmName;
  /**
   * Features of nodes, as sbatch takes them: `a100|h100`.
   */
  constraint?: string;
  /**
   * GPUs of each job: 1, or 0 for trials on the CPU. Default: 1.
   */
  gpus_per_node?: number;
  /**
   * CPU cores of each job. Default: `num_threads` of the experiment.
   */
  cpus_per_task?: number;
  /**
   * Memory of each job. Default: that of the partition.
   */
  mem_gb?: number;
  /**
   * Time limit of each job. A trial that has not ended by then is continued by another job. Default: 60.
   */
  timeout_min?: number;
  /**
   * Time before the limit at which a job writes a checkpoint and ends. Default: 120, or a quarter of the limit if that is less.
   */
  signal_delay_s?: number;
  /**
   * Largest number of jobs at the same time. Default: 16.
   */
  array_parallelism?: number;
  node_cache_dir?: NodeCacheDir;
  /**
   * Further options of sbatch, by their long names: {"exclude": "node7", "exclusive": true}.
   */
  additional_parameters?: {
    [k: string]: string | number | boolean | undefined;
  };
  roots?: Roots;
  /**
   * Lines of shell that each job runs first, such as `module load cuda`. Only in a file of options, which a person trusts like a script; not in an experiment.
   *
   * @maxItems 100
   */
  setup?: string[];
}
/**
 * Folders of the machine that runs the sweep, and what they are called on the engine's machines: {"/home/me": "/mnt/home/me"}. The longest one that a path begins with counts. Only in a file of options, not in an experiment.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Roots".
 */
export interface Roots {
  [k: string]: string | undefined;
}
/**
 * For `sweep --engine ray`. The names are Ray's. Each actor holds one worker, which runs one trial after the other.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayOptions".
 */
export interface RayOptions {
  roots?: Roots;
  /**
   * HOST:PORT of the cluster's head, or `auto` for the cluster that runs on this machine. Default: RAY_ADDRESS, else `auto`. Only in a file of options, or as --ray-address; not in an experiment.
   */
  address?: string;
  /**
   * The Python interpreter of this machine with the versions of Ray and Python that the cluster has. Default: that of the environment. Only in a file of options, or as --ray-python; not in an experiment.
   */
  python?: string;
  /**
   * GPUs of each actor: 1, or 0 for trials on the CPU. Default: 1.
   */
  num_gpus?: number;
  /**
   * CPU cores of each actor. Default: `num_threads` of the experiment.
   */
  num_cpus?: number;
  node_cache_dir?: NodeCacheDir;
  /**
   * Largest number of actors at the same time. Default: 16.
   */
  max_workers?: number;
  /**
   * Further resources of each actor, by the names that the cluster gives them: {"ssd": 1}.
   */
  resources?: {
    [k: string]: number | undefined;
  };
  /**
   * Labels of the nodes where actors may run: {"ray.io/accelerator-type": "H100"}.
   */
  label_selector?: {
    [k: string]: string | undefined;
  };
}
/**
 * For `sweep --engine queue`, whose workers join from other machines.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "QueueOptions".
 */
export interface QueueOptions {
  roots?: Roots;
}
/**
 * An experiment file. `settings` and the keys of `vary` are generated from settings.schema.json.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Experiment".
 */
export interface Experiment {
  /**
   * Path of this schema, for editors.
   */
  $schema?: string;
  /**
   * Name of the sweep: its folder is runs/sweeps/NAME.
   */
  name: string;
  /**
   * The question that the experiment answers, in one sentence.
   */
  question: string;
  preset?: Preset;
  dataset?: DatasetChoice;
  backbone?: BackboneChoice;
  settings?: PartialSettings;
  vary?: Vary;
  /**
   * Additional configurations outside the grid of `vary`; each is an object of keys to set, and may have a `label` and `seeds` of its own.
   *
   * @maxItems 1000
   */
  also?: Setting[];
  seeds?: Seeds;
  /**
   * Label of the configuration that the report compares all others with, such as `film`. Not to be confused with the settings `baseline.*`, which define detector + CLIP baselines.
   */
  baseline?: string;
  /**
   * Smallest difference in Acc@0.5 that matters, in percentage points: 1.0 is one point. The report calls configurations equivalent if the data show that they differ by less: if the interval of confidence 1 - 2 alpha lies within. Default: none; the report calls no configurations equivalent.
   */
  smallest_difference?: number;
  /**
   * Significance level of the report's comparisons. Default: 0.05.
   */
  alpha?: number;
  /**
   * Datasets whose train splits are trained on together: names of prepared ones, or folders. Images of all evaluation splits of these datasets, of `dataset` and of `evaluate_on` are left out. Models are chosen on the val split of `dataset`. Default: the train split of `dataset`.
   *
   * @minItems 1
   * @maxItems 50
   */
  train_on?: [string, ...string[]];
  /**
   * Splits on which every completed trial is evaluated after the sweep, as NAME:SPLIT: of the demo, of datasets prepared by `cliprpn prepare`, or of a folder. The report on val shows them together; evaluations on test splits are counted. No part of a trial's identity.
   *
   * @minItems 1
   * @maxItems 100
   */
  evaluate_on?: [string, ...string[]];
  /**
   * CPU threads per trial; part of a trial's identity, because it changes the last bits of the results. Default: 1, so that the cores of a machine run as many trials at the same time (2 in earlier versions).
   */
  num_threads?: number;
  keep_models?: KeepModels;
  engine?: EngineOptions;
  /**
   * Published results of this experiment, for comparison.
   */
  published?: PublishedFigure[];
}
/**
 * The demo (default), a prepared dataset, or a folder in RefCOCOg's original layout.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DatasetChoice".
 */
export interface DatasetChoice {
  /**
   * `demo` is generated on first use; any other name is a dataset prepared by `cliprpn prepare`, unless `root` is given.
   */
  name?: string;
  /**
   * Folder of a prepared dataset, or one with annotations/ and images/; relative to the current folder.
   */
  root?: string;
  split_by?: SplitBy;
  /**
   * Size of the demo: `full`, or `small` for a quick test.
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
   * `shipped` (cliprpn-tiny), `openai` (RN50.pt, downloaded and known by its SHA-256) or a file.
   */
  weights?: string;
  trained_on?: TrainedOn;
}
/**
 * All settings of one trial. An experiment file sets some of them; a preset sets the rest.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialSettings".
 */
export interface PartialSettings {
  /**
   * Side of the square that an image is resized to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px?: number;
  resize?: Resize;
  /**
   * Side of the square coordinate frame of anchors and boxes during training, in pixels.
   */
  frame_size_px?: number;
  /**
   * Channels of the 1x1 projection before the fusion; null for no projection (as in ClipRPN (Trento)).
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
   * Position of the anchors: on cell corners (as in ClipRPN (Trento)) or on cell centers.
   */
  placement?: "corner" | "center";
  /**
   * Square roots of the anchor areas, in pixels of the frame.
   *
   * @minItems 1
   * @maxItems 16
   */
  scales_px?: [number, ...number[]];
  /**
   * Aspect ratios (height / width).
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
   * An anchor with at least this IoU is positive; the best anchor is always positive.
   */
  fg_iou_thresh?: number;
  /**
   * An anchor below this IoU is negative; must not exceed fg_iou_thresh.
   */
  bg_iou_thresh?: number;
  /**
   * `sampled_bce`: binary cross-entropy over sampled anchors (as in ClipRPN (Trento)). `softmax`: cross-entropy over all anchors.
   */
  objectness_loss?: "sampled_bce" | "softmax";
  /**
   * Smooth L1 loss of the positives, divided by the number of sampled anchors (`over_sampled`, as in ClipRPN (Trento)) or of positives (`over_positives`).
   */
  box_loss?: "over_sampled" | "over_positives";
  box_loss_weight?: number;
  /**
   * Anchors sampled per referring expression for `sampled_bce`.
   */
  batch_size_per_image?: number;
  /**
   * Maximum fraction of positives among the sampled anchors.
   */
  positive_fraction?: number;
  /**
   * Proposals kept before non-maximum suppression, during evaluation: those that Recall@k is computed from. No best box depends on it.
   */
  pre_nms_top_n?: number;
  /**
   * Proposals kept after non-maximum suppression, during evaluation.
   */
  post_nms_top_n?: number;
  nms_thresh?: number;
  /**
   * Weight of the loss that contrasts the referred object with other objects of its category in the image; 0 disables it (as in ClipRPN (Trento)).
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
   * Referring expressions per step.
   */
  batch_size?: number;
  /**
   * Unit of shuffling: referring expressions (`sentence`, as in ClipRPN (Trento)), or images with all their expressions (`image`), which converges faster.
   */
  batch_by?: "sentence" | "image";
  optimizer?: "adam" | "adamw";
  /**
   * The peak learning rate, if the schedule has a peak.
   */
  learning_rate?: number;
  weight_decay?: number;
  schedule?: "constant" | "cosine";
  /**
   * Fraction of all steps in which the learning rate rises linearly to its peak.
   */
  warmup_fraction?: number;
  /**
   * Maximum norm of the gradient; null for no clipping.
   */
  grad_clip_norm?: number | null;
  /**
   * Numbers that training computes with. `fp32`: IEEE float32, without TF32. `bf16`: bfloat16 with float32 weights in the optimizer, and losses in float32; on CUDA and on the CPU. `auto`: `bf16` on CUDA, `fp32` on other devices. Evaluation is in float32 in any case. Versions before `precision` had `amp`: true is read as `auto`, false as `fp32`.
   */
  precision?: "auto" | "fp32" | "bf16";
  /**
   * Whether all operations must be deterministic, so that another run on the same machine gives the same bits; an operation that cannot is an error. If false, another run may differ in the last digits, and may be faster on CUDA.
   */
  deterministic?: boolean;
  /**
   * Whether training steps are captured as CUDA graphs and replayed, which saves the time to launch their kernels; CUDA only. Results may differ in the last digits. The Python code of a custom fusion then runs only while a graph is captured.
   */
  cuda_graphs?: boolean;
  /**
   * The metric on val that selects the best epoch.
   */
  select_by?: "acc_at_50" | "miou";
  /**
   * Number of cached augmented views per training image; 0 for none. Each epoch uses the next view of each image.
   */
  views?: number;
}
/**
 * The maximum number of referring expressions per split, in the order of the dataset; null for all.
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
 * A fully resolved baseline: the detector that proposes boxes, and how CLIP ranks them.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PartialBaseline".
 */
export interface PartialBaseline {
  detector?: DetectorChoice;
  /**
   * The view of a box that CLIP encodes: `crop` (as in ClipRPN (Trento)), `blur` (everything outside the box is blurred), `circle` (a red circle around the box), or `crop+blur` (both views, as in ReCLIP without relations).
   */
  ranking?: "crop" | "blur" | "circle" | "crop+blur";
  /**
   * Prompt templates; {} is the placeholder for the referring expression. The embeddings of several templates are averaged.
   *
   * @minItems 1
   * @maxItems 100
   */
  templates?: [string, ...string[]];
  /**
   * Adds the CLIP text similarity between the box's class name and the referring expression to the score.
   */
  category_prior?: boolean;
  /**
   * Detections with a lower score are dropped.
   */
  score_thresh?: number;
  /**
   * IoU threshold of the detector's non-maximum suppression, applied per class.
   */
  nms_thresh?: number;
  /**
   * The maximum number of boxes per image that are ranked; those with the highest scores are kept.
   */
  max_boxes?: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DetectorObject".
 */
export interface DetectorObject {
  kind: "yolo" | "trained_yolo" | "yolox" | "faster_rcnn" | "file" | "rpn" | "gt_boxes" | "whole_image";
  /**
   * For yolo, yolox and faster_rcnn: a file, or a name to look up in weights/.
   */
  weights?: string;
  /**
   * For file: detections made elsewhere, as COCO results JSON or another detector's file, or a folder with a file for each image.
   */
  file?: string;
  /**
   * For file: what the four numbers of a box are: pixels, normalized to [0, 1] (_norm), or 0 to 1000 (_1000).
   */
  box_format?:
    | "xywh"
    | "xywh_norm"
    | "xywh_1000"
    | "xyxy"
    | "xyxy_norm"
    | "xyxy_1000"
    | "cxcywh"
    | "cxcywh_norm"
    | "cxcywh_1000"
    | "yxyx"
    | "yxyx_norm"
    | "yxyx_1000";
  /**
   * For file: the score of a certain detection, such as 100 for percent (default: 1).
   */
  score_max?: number;
  /**
   * For file: the class of each category_id, if the file has no class names: COCO's ids 1 to 90 (coco), COCO's 80 classes from 0 (coco80) or from 1 (coco80_from_1), or boxes without class (none).
   */
  category_ids?: "coco" | "coco80" | "coco80_from_1" | "none";
  /**
   * For rpn: a trial's folder, a prefix of its id, or a .safetensors file.
   */
  model?: string;
  /**
   * Names of the classes in the detector's order. For yolo: if the weights have none. For yolox and faster_rcnn: if they are not COCO's.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes?: [string, ...string[]];
  variant?: FasterRcnnVariant;
  trained_on?: TrainedOn;
  /**
   * For yolo and trained_yolo.
   */
  image_size_px?: number;
  /**
   * For trained_yolo.
   */
  num_epochs?: number;
}
/**
 * Keys with dots and lists of values; every combination is one configuration.
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
   * Items: Side of the square that an image is resized to before CLIP, in pixels; a multiple of 32.
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
   * Items: Side of the square coordinate frame of anchors and boxes during training, in pixels.
   */
  frame_size_px?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Channels of the 1x1 projection before the fusion; null for no projection (as in ClipRPN (Trento)).
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
   * Items: Position of the anchors: on cell corners (as in ClipRPN (Trento)) or on cell centers.
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
   * Items: An anchor with at least this IoU is positive; the best anchor is always positive.
   */
  "rpn.fg_iou_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: An anchor below this IoU is negative; must not exceed fg_iou_thresh.
   */
  "rpn.bg_iou_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: `sampled_bce`: binary cross-entropy over sampled anchors (as in ClipRPN (Trento)). `softmax`: cross-entropy over all anchors.
   */
  "rpn.objectness_loss"?: ["sampled_bce" | "softmax", ...("sampled_bce" | "softmax")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Smooth L1 loss of the positives, divided by the number of sampled anchors (`over_sampled`, as in ClipRPN (Trento)) or of positives (`over_positives`).
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
   * Items: Anchors sampled per referring expression for `sampled_bce`.
   */
  "rpn.batch_size_per_image"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Maximum fraction of positives among the sampled anchors.
   */
  "rpn.positive_fraction"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Proposals kept before non-maximum suppression, during evaluation: those that Recall@k is computed from. No best box depends on it.
   */
  "rpn.pre_nms_top_n"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Proposals kept after non-maximum suppression, during evaluation.
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
   * Items: Weight of the loss that contrasts the referred object with other objects of its category in the image; 0 disables it (as in ClipRPN (Trento)).
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
   * Items: Referring expressions per step.
   */
  "training.batch_size"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Unit of shuffling: referring expressions (`sentence`, as in ClipRPN (Trento)), or images with all their expressions (`image`), which converges faster.
   */
  "training.batch_by"?: ["sentence" | "image", ...("sentence" | "image")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   */
  "training.optimizer"?: ["adam" | "adamw", ...("adam" | "adamw")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: The peak learning rate, if the schedule has a peak.
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
   * Items: Fraction of all steps in which the learning rate rises linearly to its peak.
   */
  "training.warmup_fraction"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Maximum norm of the gradient; null for no clipping.
   */
  "training.grad_clip_norm"?: [number | null, ...(number | null)[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Numbers that training computes with. `fp32`: IEEE float32, without TF32. `bf16`: bfloat16 with float32 weights in the optimizer, and losses in float32; on CUDA and on the CPU. `auto`: `bf16` on CUDA, `fp32` on other devices. Evaluation is in float32 in any case. Versions before `precision` had `amp`: true is read as `auto`, false as `fp32`.
   */
  "training.precision"?: ["auto" | "fp32" | "bf16", ...("auto" | "fp32" | "bf16")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Whether all operations must be deterministic, so that another run on the same machine gives the same bits; an operation that cannot is an error. If false, another run may differ in the last digits, and may be faster on CUDA.
   */
  "training.deterministic"?: [boolean, ...boolean[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Whether training steps are captured as CUDA graphs and replayed, which saves the time to launch their kernels; CUDA only. Results may differ in the last digits. The Python code of a custom fusion then runs only while a graph is captured.
   */
  "training.cuda_graphs"?: [boolean, ...boolean[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: The metric on val that selects the best epoch.
   */
  "training.select_by"?: ["acc_at_50" | "miou", ...("acc_at_50" | "miou")[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Number of cached augmented views per training image; 0 for none. Each epoch uses the next view of each image.
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
   * Items: The view of a box that CLIP encodes: `crop` (as in ClipRPN (Trento)), `blur` (everything outside the box is blurred), `circle` (a red circle around the box), or `crop+blur` (both views, as in ReCLIP without relations).
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
   * Items: Adds the CLIP text similarity between the box's class name and the referring expression to the score.
   */
  "baseline.category_prior"?: [boolean, ...boolean[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Detections with a lower score are dropped.
   */
  "baseline.score_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: IoU threshold of the detector's non-maximum suppression, applied per class.
   */
  "baseline.nms_thresh"?: [number, ...number[]];
  /**
   * @minItems 1
   * @maxItems 1000
   *
   * Items: The maximum number of boxes per image that are ranked; those with the highest scores are kept.
   */
  "baseline.max_boxes"?: [number, ...number[]];
}
/**
 * Keys with dots and their values: one configuration. `label` and `seeds` are its own.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Setting".
 */
export interface Setting {
  label?: Label;
  seeds?: Seeds;
  preset?: Preset;
  /**
   * Side of the square that an image is resized to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px?: number;
  resize?: Resize;
  /**
   * Side of the square coordinate frame of anchors and boxes during training, in pixels.
   */
  frame_size_px?: number;
  /**
   * Channels of the 1x1 projection before the fusion; null for no projection (as in ClipRPN (Trento)).
   */
  neck_channels?: number | null;
  fusion?: FusionChoice;
  /**
   * Position of the anchors: on cell corners (as in ClipRPN (Trento)) or on cell centers.
   */
  "anchors.placement"?: "corner" | "center";
  /**
   * Square roots of the anchor areas, in pixels of the frame.
   *
   * @minItems 1
   * @maxItems 16
   */
  "anchors.scales_px"?: [number, ...number[]];
  /**
   * Aspect ratios (height / width).
   *
   * @minItems 1
   * @maxItems 16
   */
  "anchors.ratios"?: [number, ...number[]];
  /**
   * An anchor with at least this IoU is positive; the best anchor is always positive.
   */
  "rpn.fg_iou_thresh"?: number;
  /**
   * An anchor below this IoU is negative; must not exceed fg_iou_thresh.
   */
  "rpn.bg_iou_thresh"?: number;
  /**
   * `sampled_bce`: binary cross-entropy over sampled anchors (as in ClipRPN (Trento)). `softmax`: cross-entropy over all anchors.
   */
  "rpn.objectness_loss"?: "sampled_bce" | "softmax";
  /**
   * Smooth L1 loss of the positives, divided by the number of sampled anchors (`over_sampled`, as in ClipRPN (Trento)) or of positives (`over_positives`).
   */
  "rpn.box_loss"?: "over_sampled" | "over_positives";
  "rpn.box_loss_weight"?: number;
  /**
   * Anchors sampled per referring expression for `sampled_bce`.
   */
  "rpn.batch_size_per_image"?: number;
  /**
   * Maximum fraction of positives among the sampled anchors.
   */
  "rpn.positive_fraction"?: number;
  /**
   * Proposals kept before non-maximum suppression, during evaluation: those that Recall@k is computed from. No best box depends on it.
   */
  "rpn.pre_nms_top_n"?: number;
  /**
   * Proposals kept after non-maximum suppression, during evaluation.
   */
  "rpn.post_nms_top_n"?: number;
  "rpn.nms_thresh"?: number;
  /**
   * Weight of the loss that contrasts the referred object with other objects of its category in the image; 0 disables it (as in ClipRPN (Trento)).
   */
  "rpn.negatives_loss_weight"?: number;
  "training.num_epochs"?: number;
  /**
   * Referring expressions per step.
   */
  "training.batch_size"?: number;
  /**
   * Unit of shuffling: referring expressions (`sentence`, as in ClipRPN (Trento)), or images with all their expressions (`image`), which converges faster.
   */
  "training.batch_by"?: "sentence" | "image";
  "training.optimizer"?: "adam" | "adamw";
  /**
   * The peak learning rate, if the schedule has a peak.
   */
  "training.learning_rate"?: number;
  "training.weight_decay"?: number;
  "training.schedule"?: "constant" | "cosine";
  /**
   * Fraction of all steps in which the learning rate rises linearly to its peak.
   */
  "training.warmup_fraction"?: number;
  /**
   * Maximum norm of the gradient; null for no clipping.
   */
  "training.grad_clip_norm"?: number | null;
  /**
   * Numbers that training computes with. `fp32`: IEEE float32, without TF32. `bf16`: bfloat16 with float32 weights in the optimizer, and losses in float32; on CUDA and on the CPU. `auto`: `bf16` on CUDA, `fp32` on other devices. Evaluation is in float32 in any case. Versions before `precision` had `amp`: true is read as `auto`, false as `fp32`.
   */
  "training.precision"?: "auto" | "fp32" | "bf16";
  /**
   * Whether all operations must be deterministic, so that another run on the same machine gives the same bits; an operation that cannot is an error. If false, another run may differ in the last digits, and may be faster on CUDA.
   */
  "training.deterministic"?: boolean;
  /**
   * Whether training steps are captured as CUDA graphs and replayed, which saves the time to launch their kernels; CUDA only. Results may differ in the last digits. The Python code of a custom fusion then runs only while a graph is captured.
   */
  "training.cuda_graphs"?: boolean;
  /**
   * The metric on val that selects the best epoch.
   */
  "training.select_by"?: "acc_at_50" | "miou";
  /**
   * Number of cached augmented views per training image; 0 for none. Each epoch uses the next view of each image.
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
   * The view of a box that CLIP encodes: `crop` (as in ClipRPN (Trento)), `blur` (everything outside the box is blurred), `circle` (a red circle around the box), or `crop+blur` (both views, as in ReCLIP without relations).
   */
  "baseline.ranking"?: "crop" | "blur" | "circle" | "crop+blur";
  /**
   * Prompt templates; {} is the placeholder for the referring expression. The embeddings of several templates are averaged.
   *
   * @minItems 1
   * @maxItems 100
   */
  "baseline.templates"?: [string, ...string[]];
  /**
   * Adds the CLIP text similarity between the box's class name and the referring expression to the score.
   */
  "baseline.category_prior"?: boolean;
  /**
   * Detections with a lower score are dropped.
   */
  "baseline.score_thresh"?: number;
  /**
   * IoU threshold of the detector's non-maximum suppression, applied per class.
   */
  "baseline.nms_thresh"?: number;
  /**
   * The maximum number of boxes per image that are ranked; those with the highest scores are kept.
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
   * True if a run of this project has reproduced the result within [low, high].
   */
  verified: boolean;
}
/**
 * The expressions and predictions that REPORT.html shows one by one: `explorer.json` in the folder that a report is built in. A column has one value per expression, in the order of the split.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Explorer".
 */
export interface Explorer {
  schema_version: 1;
  split: Split;
  /**
   * Number of all configurations, also of those that are left out.
   */
  num_settings: number;
  /**
   * Absolute path of the folder with the images; null if the dataset has none.
   */
  images_dir: string | null;
  images: ExplorerImages;
  expressions: ExplorerExpressions;
  subsets: ExplorerSubset[];
  /**
   * Names of the codes in the settings' `error_class`; the first one is a hit.
   */
  error_classes: string[];
  /**
   * In the order of the summary.
   */
  settings: ExplorerSetting[];
}
/**
 * Columns with a value per image.
 */
export interface ExplorerImages {
  /**
   * Relative to images_dir.
   */
  file: string[];
  /**
   * Pixels of the original image.
   */
  width: number[];
  height: number[];
  /**
   * True if boxes are in the frame of the image after its EXIF rotation.
   */
  upright: boolean[];
}
export interface ExplorerExpressions {
  sent_id: number[];
  /**
   * Position of the image in `images`.
   */
  image: number[];
  sentence: string[];
  /**
   * Empty if unknown.
   */
  category: string[];
  gt_box_xyxy: ExplorerBoxes;
}
/**
 * A division of the expressions, such as by size.
 */
export interface ExplorerSubset {
  by: string;
  groups: string[];
  /**
   * Position of the expression's group in `groups`; -1 without a group.
   */
  group: number[];
}
/**
 * Predictions of the first seed of a configuration.
 */
export interface ExplorerSetting {
  label: string;
  /**
   * Null if training again gives the same result.
   */
  seed: number | null;
  pred_box_xyxy: ExplorerBoxes;
  iou: number[];
  /**
   * Null if it is not finite.
   */
  score: (number | null)[];
  /**
   * Position in `error_classes`.
   */
  error_class: number[];
}
/**
 * cliprpn-export.json, the first file of an archive that `cliprpn export` writes: the other files, by their path in a runs folder.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportManifest".
 */
export interface ExportManifest {
  /**
   * Version of the format.
   */
  schema_version: 1;
  kind: "cliprpn-export";
  cliprpn_version: string;
  /**
   * UTC, ISO 8601.
   */
  exported_at: string;
  sweep: string;
  models: ExportedModels;
  files: ExportedFile[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExportedFile".
 */
export interface ExportedFile {
  path: string;
  bytes: number;
  sha256: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepStarted".
 */
export interface SweepStarted {
  type: "sweep_started";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  num_trials: number;
  command: string;
  /**
   * Trials that could run at the same time. Missing if none had to run, and in lines of earlier versions.
   */
  num_slots?: number;
}
/**
 * What this start of the sweep was expected to take. Missing in journals of earlier versions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepEstimated".
 */
export interface SweepEstimated {
  type: "sweep_estimated";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  estimate: SweepEstimate;
}
/**
 * What a sweep still has to do, and what time and disk space that takes: in `sweep --dry-run --json` and, when a sweep starts, in its journal. Nothing in it is guessed: what is not known is null. Later versions may add keys.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepEstimate".
 */
export interface SweepEstimate {
  /**
   * Trials that have to run.
   */
  num_trials: number;
  /**
   * Of these, those that continue a checkpoint: only what is left of them is counted.
   */
  num_resumed: number;
  /**
   * Trials that run at the same time.
   */
  num_slots: number;
  time: TimingOrNull;
  trials_time: TimingOrNull1;
  /**
   * Parts of the time, of all trials one after the other.
   */
  parts: EstimatedPart[];
  /**
   * Where the time of the trials of each configuration comes from, for those with trials to run.
   */
  basis: EstimateBasis[];
  /**
   * The parts whose time is not known.
   */
  unknown: string[];
  disk: DiskEstimate;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EstimatedPart".
 */
export interface EstimatedPart {
  part: SweepPart;
  /**
   * How much of what: 3,192 steps.
   */
  amount: string;
  time: TimingOrNull2;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EstimateBasis".
 */
export interface EstimateBasis {
  /**
   * Of the configuration.
   */
  label: string;
  /**
   * Trials of the configuration that have to run.
   */
  num_left: number;
  /**
   * `same_trials`: earlier trials with these settings on these data; `other_data`: with these settings on other data, scaled by the number of expressions; `other_settings`: of the same kind, preset, device, number of threads and image size; `preflight`: what `cliprpn preflight` measured; null if nothing is known. Numbers of epochs and expressions are scaled.
   */
  source: "same_trials" | "other_data" | "other_settings" | "preflight" | null;
  /**
   * Number of these earlier trials.
   */
  num_seen: number;
  /**
   * How many trials ran at the same time as these earlier ones, if that is not `num_slots`: their range of time is then as wide as that may matter. Null if nobody knows.
   */
  seen_at_once?: number | null;
  trial: TimingOrNull3;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DiskEstimate".
 */
export interface DiskEstimate {
  parts: DiskPart[];
  /**
   * Those that the sweep writes to.
   */
  file_systems: FileSystemNeed[];
}
/**
 * Files that the sweep will write.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DiskPart".
 */
export interface DiskPart {
  part: DiskPartName;
  /**
   * How many of them are still to make: images, expressions, models or files; null if it is not known.
   */
  num: number | null;
  /**
   * True if some of them may exist already.
   */
  at_most?: boolean;
  /**
   * Null if it is not known.
   */
  bytes: number | null;
  folder: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FileSystemNeed".
 */
export interface FileSystemNeed {
  /**
   * A folder on it.
   */
  folder: string;
  /**
   * At the peak, as far as it is known.
   */
  needed_bytes: number;
  free_bytes: number;
  /**
   * False if the size of some files on it is not known.
   */
  is_complete: boolean;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialStarted".
 */
export interface TrialStarted {
  type: "trial_started";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  trial_id: string;
  slot: number;
  /**
   * Where it runs, for people; missing for this machine.
   */
  worker?: string;
  attempt: number;
}
/**
 * The end of an attempt. What the controller decides (worker_died, worker_killed, timed_out) is recorded only here.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialFinished".
 */
export interface TrialFinished {
  type: "trial_finished";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  trial_id: string;
  /**
   * `refused`: completed, but another attempt of the trial was accepted first. `retried`: failed, and the trial runs again. `pruned`, `canceled`: ended early, for the reason in `error`. `preempted`: the cluster took its worker away.
   */
  state: "completed" | "failed" | "interrupted" | "refused" | "retried" | "pruned" | "canceled" | "preempted";
  duration_ms: number;
  attempt: number;
  sources_sha256: string;
  error: ErrorInfo | null;
  /**
   * Acc@0.5 on val of a completed attempt. Missing in files of earlier versions.
   */
  acc_at_50?: number;
}
/**
 * An attempt to make what trials share, before they run: see preparation.schema.json.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparationStarted".
 */
export interface PreparationStarted {
  type: "preparation_started";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  /**
   * Counted from 1 for each sweep; its folder is prepare/ATTEMPT/.
   */
  attempt: number;
  num_parts: number;
  /**
   * Where it runs, if that is not this machine. Missing in files of earlier versions.
   */
  worker?: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparationFinished".
 */
export interface PreparationFinished {
  type: "preparation_finished";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  attempt: number;
  /**
   * `completed`: parts may have failed, as outcome.json says. `retried`: its worker was lost, or the cluster took it away, and another attempt follows.
   */
  state: "completed" | "failed" | "interrupted" | "retried";
  duration_ms: number;
  error: ErrorInfo | null;
}
/**
 * A worker was replaced by a new process between two attempts. One that replaces a lost worker has no line.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerRenewed".
 */
export interface WorkerRenewed {
  type: "worker_renewed";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  slot: number;
  /**
   * For people: memory that is not freed, or the number of trials.
   */
  reason: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepFinished".
 */
export interface SweepFinished {
  type: "sweep_finished";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  num_completed: number;
  num_failed: number;
  leaderboard?: LeaderboardSoFar;
}
/**
 * As it was at the end, with intervals. Missing in files of earlier versions.
 */
export interface LeaderboardSoFar {
  /**
   * Those with a completed trial.
   */
  num_configurations: number;
  /**
   * The highest means, at most 50.
   */
  configurations: ConfigurationSoFar[];
  /**
   * Confidence level of the intervals. Missing in files of earlier versions.
   */
  confidence?: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ConfigurationSoFar".
 */
export interface ConfigurationSoFar {
  label: string;
  /**
   * Trials that the experiment asks for: one for each seed.
   */
  num_trials: number;
  num_completed: number;
  /**
   * Acc@0.5 on val over the completed trials. The range of seeds is no confidence interval.
   */
  acc_at_50: {
    mean: number;
    min: number;
    max: number;
  };
  /**
   * True for annotated boxes, which no model has; they come last. Missing: false.
   */
  is_upper_bound?: boolean;
  /**
   * Confidence interval of the mean, over images and, where training again gives another result, over seeds. Null before it is computed, for a trained configuration with one completed trial, and with fewer than 30 images. Missing in files of earlier versions.
   */
  interval?: IntervalSoFar | null;
}
/**
 * A fault of the machine, such as a full disk, ended this start of the sweep: more trials would fail for the same reason.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepPaused".
 */
export interface SweepPaused {
  type: "sweep_paused";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  error: ErrorInfo;
}
/**
 * What this start of the sweep took, beside its `sweep_estimated`; also of one that was interrupted, but not of one that was killed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepMeasured".
 */
export interface SweepMeasured {
  type: "sweep_measured";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  /**
   * From the preparation of features to the end of the last trial.
   */
  duration_ms: number;
  /**
   * Trials that ended in this start.
   */
  num_ended: number;
  is_interrupted: boolean;
  /**
   * Disk space of the features, models, predictions and other results that this start wrote and that are kept.
   */
  written_bytes: number;
}
/**
 * A worker on another machine joined, ended, refused to work, or was barred since it counts as lost. Not in archives.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerChanged".
 */
export interface WorkerChanged {
  type: "worker_changed";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  /**
   * Where it runs, for people.
   */
  worker: string;
  node: string;
  state: "ready" | "ended" | "refused" | "barred";
  reason?: string;
}
/**
 * Why there are not more workers on other machines, where that changes by more than a number. Not in archives.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkersMissing".
 */
export interface WorkersMissing {
  type: "workers_missing";
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  num_workers: number;
  /**
   * Null if none is missing any more.
   */
  reason: string | null;
}
/**
 * What a node of a cluster says about itself and about a shared folder, for `cliprpn doctor --engine slurm`.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "NodeCheck".
 */
export interface NodeCheck {
  schema_version: 1;
  /**
   * As given with --label.
   */
  label: string;
  /**
   * The node's time, in seconds since 1970.
   */
  time_s: number;
  /**
   * The time that a file got which the node has just written.
   */
  server_time_s: number;
  /**
   * Operations of the shared folder that do not work on the node.
   */
  problems: ("exclusive_create" | "link" | "rename" | "flock")[];
  /**
   * What the node finds where `roots` say that folders of the other machine are.
   */
  roots: FoundRoot[];
  /**
   * The folder for copies of features on the node's own disk; null if there is none.
   */
  node_cache: CheckedNodeCache | null;
  /**
   * What a worker on the node would say; null if none can start.
   */
  worker: WorkerReady | null;
  /**
   * Why no worker can start.
   */
  error: ErrorInfo | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "FoundRoot".
 */
export interface FoundRoot {
  /**
   * On the node.
   */
  folder: string;
  is_folder: boolean;
  /**
   * Whether it has the file that the other machine has just created in its folder.
   */
  has_token: boolean;
  /**
   * Hash of the names in it, for a folder in which the other machine may not create a file; null if it cannot be read.
   */
  names_sha256: string | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CheckedNodeCache".
 */
export interface CheckedNodeCache {
  /**
   * With the node's variables.
   */
  folder: string;
  /**
   * Why it cannot be written; null if it can.
   */
  problem: string | null;
  /**
   * Free space on its disk; null if it cannot be written.
   */
  free_bytes: number | null;
}
/**
 * The first line. Whoever started the worker compares the hashes before it sends a trial.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerReady".
 */
export interface WorkerReady {
  type: "ready";
  pid: number;
  host: string;
  /**
   * Of this contract.
   */
  schema_sha256: string;
  sources_sha256: CodeHashes;
  /**
   * Absolute path of the Python package `cliprpn` that is running.
   */
  code_folder: string;
  environment: Environment1;
}
/**
 * The device and the versions.
 */
export interface Environment1 {
  python: string;
  torch: string;
  torchvision: string;
  open_clip: string;
  platform: string;
  device: string;
  device_name: string;
  num_threads: number;
  /**
   * Model of the processor, also where the device is a GPU. Missing in files of earlier versions.
   */
  cpu_name?: string | null;
  /**
   * Name of the machine, as its cluster or it itself has it. Missing in files of earlier versions, in archives and in reports.
   */
  host?: string | null;
}
/**
 * report.json of a comparison on several splits: the verdict, the notes and the figures of each model. The same results give the same bytes.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Overview".
 */
export interface Overview {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * Version of cliprpn that wrote the overview.
   */
  cliprpn_version: string;
  /**
   * Name of the comparison.
   */
  name: string;
  question: string;
  command: string;
  /**
   * The result in a few sentences, from `combined.verdict`.
   */
  verdict: string;
  /**
   * Limitations of the results.
   */
  notes: string[];
  combined: Combined;
  comparison: StoredComparison;
  /**
   * The report of each split, in the order of `combined.endpoints`.
   */
  reports: EndpointReport[];
}
export interface EndpointReport {
  /**
   * NAME:SPLIT.
   */
  endpoint: string;
  /**
   * File name: `REPORT-refcoco-unc-testA.md`.
   */
  text: string;
  /**
   * File name: `report-refcoco-unc-testA.json`.
   */
  json: string;
}
/**
 * preflight.json: what `cliprpn preflight` found.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Preflight".
 */
export interface Preflight {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * ISO 8601.
   */
  made_at: string;
  /**
   * As typed.
   */
  command: string;
  cliprpn_version: string;
  /**
   * Hash of the code that trains models.
   */
  sources_sha256: string;
  /**
   * Of the experiment.
   */
  name: string;
  question: string;
  dataset: DatasetName;
  backbone: TrialBackbone;
  machine: MachineDescription;
  checks: PreflightCheck[];
  /**
   * Null if nothing was timed.
   */
  projection: SweepProjection | null;
  node_version: string;
  /**
   * Of the whole machine.
   */
  memory_bytes: number;
  /**
   * Of the whole machine.
   */
  num_cores: number;
}
/**
 * One line of PREFLIGHT.md.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreflightCheck".
 */
export interface PreflightCheck {
  check: "weights" | "counts" | "boxes" | "crops" | "overfit" | "parity" | "baseline" | "speed";
  status: PreflightStatus;
  /**
   * One line, without the status.
   */
  found: string;
  /**
   * What to do about a failure; null if it did not fail.
   */
  fix: string | null;
  figures: PreflightFigure[];
  /**
   * Time that the check took.
   */
  duration_ms: number;
  /**
   * Name of a file beside this one with the traceback of an unexpected error; null if there was none.
   */
  traceback_file: string | null;
}
/**
 * Time, memory and disk space of the rest of a sweep, computed from measurements on a sample.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepProjection".
 */
export interface SweepProjection {
  /**
   * Of the experiment.
   */
  num_trials: number;
  /**
   * Those that have a result already; their time is not counted.
   */
  num_completed: number;
  /**
   * Trials that run at the same time.
   */
  num_workers: number;
  /**
   * Workers that worked at the same time while steps were timed.
   */
  num_workers_timed: number;
  parts: ProjectedPart[];
  total: Timing10;
  /**
   * What is not counted, and why; one line each.
   */
  not_projected: string[];
  /**
   * Disk space of the features that are not in the cache.
   */
  features_bytes: number;
  /**
   * Disk space of detections and embeddings that are not in the cache.
   */
  baselines_bytes: number;
  /**
   * Disk space of the models that are kept, of trials that have no result yet.
   */
  models_bytes: number;
  /**
   * Disk space of the predictions that do not exist yet.
   */
  predictions_bytes: number;
  /**
   * Memory of the processes that run at the same time, without the file cache of the system.
   */
  process_memory_bytes: number;
  /**
   * Size of the features that training reads from files; faster if they fit in the free memory.
   */
  file_cache_bytes: number;
  /**
   * Largest need of a trial on the device; null on a CPU.
   */
  device_memory_bytes: number | null;
  configurations: ProjectedConfiguration[];
}
/**
 * A part of the sweep that has not been done yet.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ProjectedPart".
 */
export interface ProjectedPart {
  part: SweepPart;
  /**
   * How much of what: 3,192 steps.
   */
  amount: string;
  /**
   * One after the other, with the mean of what was measured.
   */
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing10 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * The trials that train a model and differ by their seed only.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ProjectedConfiguration".
 */
export interface ProjectedConfiguration {
  label: string;
  num_trials: number;
  /**
   * Those that have a result already.
   */
  num_completed: number;
  trial: Timing11;
  /**
   * Training steps of one trial.
   */
  num_steps: number;
  step: Timing12;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing11 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing12 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * `measurements/<key>.json` in the cache: what `cliprpn preflight` measured on a machine, for `sweep --dry-run` and for the next `preflight`. The key is a hash of everything that it depends on. One of `speed`, `baseline` and `report` is set.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredMeasurement".
 */
export interface StoredMeasurement {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * UTC, ISO 8601.
   */
  measured_at: string;
  /**
   * Workers that worked at the same time.
   */
  num_workers_timed: number;
  start: Timing13;
  speed?: SpeedMeasurement;
  baseline?: BaselineMeasurement;
  report?: ReportMeasurement;
}
/**
 * How long one unit of a work takes: the mean of several measurements, the shortest and the longest.
 */
export interface Timing13 {
  ms: number;
  low_ms: number;
  high_ms: number;
}
/**
 * queue.json in queue/ of a sweep: what the process that runs the sweep tells its pilots. A pilot is a process, on any machine that shares the folder, that runs attempts from waiting/.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "QueueSettings".
 */
export interface QueueSettings {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * Random id of the process that runs the sweep. One that finds another id here stops writing to the queue.
   */
  controller: string;
  /**
   * Absolute path of the runs folder on the controller's machine. A pilot replaces it at the start of paths by its own path of that folder.
   */
  runs_dir: string;
  sources_sha256: CodeHashes;
  /**
   * Of this contract.
   */
  schema_sha256: string;
  /**
   * CPU threads of each trial; null for torch's default.
   */
  num_threads: number | null;
  /**
   * Time between two heartbeats of a pilot: changes of the modification time of its file in pilots/.
   */
  beat_s: number;
  /**
   * A pilot without a heartbeat for this time, as the controller sees it, has lost its attempt.
   */
  lease_s: number;
  /**
   * Folders of the controller's machine, and what they are called where pilots run; what a pilot was told itself comes first.
   */
  roots?: {
    [k: string]: string | undefined;
  } | null;
}
/**
 * waiting/TRIAL.N.json: an attempt to run. A pilot takes it by renaming it to claimed/TRIAL.N@PILOT.json.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "QueuedAttempt".
 */
export interface QueuedAttempt {
  schema_version: 1;
  /**
   * Counted from 1 for each trial.
   */
  attempt: number;
  params: RunTrialParams;
  /**
   * Absolute path; receives what the attempt prints.
   */
  log_file: string;
}
/**
 * first/prepare.N.json: makes what the trials of the sweep share. Pilots take it before any trial, and take no trial before it has ended.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "QueuedPreparation".
 */
export interface QueuedPreparation {
  schema_version: 1;
  /**
   * Counted from 1 for each sweep.
   */
  attempt: number;
  params: RunPreparationParams;
  /**
   * Absolute path; receives what the attempt prints.
   */
  log_file: string;
}
/**
 * cancel/TRIAL.N.json: asks the pilot to end the attempt.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "CancelRequest".
 */
export interface CancelRequest {
  schema_version: 1;
  /**
   * Time to stop, after which the pilot kills it.
   */
  grace_s: number;
}
/**
 * ended/TRIAL.N.json: how an attempt ended. It is created once: by its pilot or a process that outlives it, or by the controller when it takes the attempt away.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EndedAttempt".
 */
export interface EndedAttempt {
  schema_version: 1;
  /**
   * outcome: outcome.json lies in the attempt's folder. lost: the pilot was killed, which a process that outlives it says, or the controller took the attempt away from a pilot without a heartbeat.
   */
  how: "outcome" | "canceled" | "preempted" | "error" | "lost";
  /**
   * The name of the pilot; null if none had it.
   */
  pilot: string | null;
  /**
   * For people; empty if there is nothing to say.
   */
  reason: string;
  /**
   * Set if how is error.
   */
  error: ErrorInfo | null;
}
/**
 * pilots/NAME.json. Its modification time is the pilot's heartbeat; it is removed when the pilot ends, unless it refused to work.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PilotFacts".
 */
export interface PilotFacts {
  schema_version: 1;
  /**
   * Host, process id and a random suffix.
   */
  name: string;
  /**
   * As given with --label, such as the job of a cluster; empty by default.
   */
  label: string;
  /**
   * starting: it imports torch. refused: it cannot run trials of this sweep.
   */
  state: "starting" | "ready" | "refused";
  /**
   * Why it refused.
   */
  error: ErrorInfo | null;
  process: ProcessIdentity;
  /**
   * Null before it is ready.
   */
  environment: Environment | null;
}
/**
 * What identifies a process among all machines that share a folder; null where the system does not say.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ProcessIdentity".
 */
export interface ProcessIdentity {
  host: string;
  machine_id: string | null;
  boot_id: string | null;
  pid: number;
  pid_namespace: string | null;
  /**
   * In the system's own unit.
   */
  process_start: string | null;
}
/**
 * barred/NAME: a pilot that takes nothing more, since it counts as lost.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BarredPilot".
 */
export interface BarredPilot {
  schema_version: 1;
  name: string;
  /**
   * Where it ran, for people.
   */
  worker: string;
  node: string;
  reason: string;
}
/**
 * The first line: the driver is connected to the cluster.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayConnected".
 */
export interface RayConnected {
  type: "connected";
  /**
   * The version of Ray.
   */
  ray: string;
  /**
   * The version of Python that the driver and the nodes have.
   */
  python: string;
  /**
   * As in RayNodes.
   */
  nodes: RayNode[];
  free: RayAmounts;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayNode".
 */
export interface RayNode {
  /**
   * The node's id in Ray, as the label ray.io/node-id has it.
   */
  id: string;
  /**
   * For people.
   */
  name: string;
  total: RayAmounts;
  /**
   * True if the node is about to be taken away: nothing new starts there.
   */
  is_draining: boolean;
}
/**
 * Amounts of resources, by Ray's names: CPU, GPU, and those that the cluster defines.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayAmounts".
 */
export interface RayAmounts {
  [k: string]: number | undefined;
}
/**
 * The last line: the driver cannot work, and ends.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayFailed".
 */
export interface RayFailed {
  type: "failed";
  /**
   * For people: what was expected and found, and what to do.
   */
  message: string;
}
/**
 * The cluster, when it has changed: its nodes, and what is free of those that are not drained.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayNodes".
 */
export interface RayNodes {
  type: "nodes";
  /**
   * The nodes that are alive.
   */
  nodes: RayNode[];
  free: RayAmounts;
}
/**
 * An actor has a place, and starts its worker if the node sees the shared folder.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayPlaced".
 */
export interface RayPlaced {
  type: "placed";
  id: RayActorId;
  /**
   * The node's name, for people.
   */
  node: string;
  node_id: string;
  /**
   * False if the node does not see the shared folder; the actor ends then.
   */
  is_shared: boolean;
}
/**
 * An actor is gone, and its worker with it.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayEnded".
 */
export interface RayEnded {
  type: "ended";
  id: RayActorId;
  /**
   * The worker left by itself, or crashed; the actor or its node was lost, or taken away by the cluster.
   */
  how: "left" | "crashed" | "lost" | "preempted";
  /**
   * For people; empty if the worker left.
   */
  reason: string;
}
/**
 * The first line that `python -m cliprpn_ray` reads from its standard input, at the end of which it ends all actors and exits.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RaySetup".
 */
export interface RaySetup {
  /**
   * HOST:PORT of the cluster's head, or `auto` for the cluster that runs on this machine.
   */
  address: string;
  /**
   * Time for the head to accept a connection.
   */
  connect_s: number;
  /**
   * Options of each actor, by Ray's names.
   */
  actor: {
    num_cpus: number;
    num_gpus: number;
    resources: RayAmounts;
    label_selector: {
      [k: string]: string | undefined;
    };
  };
  /**
   * What each actor runs; null for a driver that only looks at the cluster.
   */
  worker: RayWorker | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayWorker".
 */
export interface RayWorker {
  /**
   * Program and arguments. The driver adds `--label ray:ID@NODE`.
   */
  command: string[];
  /**
   * Variables of its environment, beside those of the node.
   */
  env: {
    [k: string]: string | undefined;
  };
  /**
   * Receives ID.log with what the worker prints; absolute.
   */
  log_folder: string;
  /**
   * A new file of the shared folder, by which a node shows that it sees the folder.
   */
  probe_file: string;
  /**
   * The content of `probe_file`.
   */
  probe: string;
}
/**
 * Asks the cluster for actors.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayStart".
 */
export interface RayStart {
  type: "start";
  ids: RayActorId[];
  /**
   * Ids of nodes where they must not run.
   */
  without_nodes: string[];
}
/**
 * Asks the worker of an actor to hand its attempt back and end, which a RayEnded says then.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayLeave".
 */
export interface RayLeave {
  type: "leave";
  id: RayActorId;
}
/**
 * Ends an actor and its worker at once.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RayEnd".
 */
export interface RayEnd {
  type: "end";
  id: RayActorId;
}
/**
 * report.json beside REPORT.md: the verdict, the notes, all figures and the trials of a sweep's report. The same results give the same bytes.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "Report".
 */
export interface Report {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * Version of cliprpn that wrote the report.
   */
  cliprpn_version: string;
  /**
   * Name of the sweep.
   */
  name: string;
  question: string;
  /**
   * The command that runs, or resumes, the sweep.
   */
  command: string;
  source: ExperimentSource;
  dataset: DatasetName;
  split: Split;
  /**
   * The result in a few sentences, from `summary.verdict`.
   */
  verdict: string;
  /**
   * Limitations of the results, and what differs between the configurations besides what varies, as the report lists them.
   */
  notes: string[];
  /**
   * Number of looks at the test splits of the dataset, by all sweeps in the runs folder.
   */
  num_test_looks: number;
  /**
   * What the trials were trained on, in words, if several datasets were joined (train_on); absent otherwise.
   */
  training_set?: string | null;
  /**
   * What weights were trained on, and the images of the split that this includes; absent in reports of earlier versions.
   */
  training_data?: TrainingData[];
  /**
   * Configurations in the order of `summary.settings`, then those without a result.
   */
  settings: ReportedSetting[];
  summary: Summary;
  combined?: Combined1;
  comparison?: StoredComparison1;
  /**
   * What each start of the sweep was expected to take, and what it took; absent in a comparison, and for sweeps of earlier versions.
   */
  starts?: SweepStart[];
}
/**
 * The experiment file and the `--set` options, as typed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ExperimentSource".
 */
export interface ExperimentSource {
  file: string;
  sets: string[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrainingData".
 */
export interface TrainingData {
  /**
   * The weights, or the file of boxes.
   */
  name: string;
  /**
   * Names of datasets; null if undeclared.
   */
  trained_on: string[] | null;
  /**
   * Who says so: the experiment, the authors of weights that are known, the name of the file, or nobody.
   */
  source: "declared" | "known" | "file_name" | "undeclared";
  /**
   * Images that are in the training data.
   */
  num_seen: number;
  /**
   * Images of which some are in the training data; which ones is not known.
   */
  num_maybe_seen: number;
  /**
   * Images of which nothing is known.
   */
  num_unknown: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReportedSetting".
 */
export interface ReportedSetting {
  label: string;
  kind: "cliprpn" | "baseline" | "results";
  /**
   * The settings that differ between the configurations of this kind.
   */
  components: Component[];
  trials: ReportedTrial[];
}
export interface Component {
  /**
   * Dotted: `fusion.text`.
   */
  key: string;
  /**
   * As JSON; null where the configuration has no such setting.
   */
  value: string | null;
}
/**
 * A trial, with the attempt that the report shows.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReportedTrial".
 */
export interface ReportedTrial {
  trial_id: string;
  seed: number;
  state: "completed" | "failed" | "not_run";
  /**
   * Number of the attempt; null without a result.
   */
  attempt: number | null;
  /**
   * True if other code or packages than the current ones made the result.
   */
  is_stale: boolean;
  /**
   * Where a trial that did not run here came from.
   */
  origin: TrialOrigin | null;
  /**
   * Counted from 1; 0 when nothing is trained; null without a result.
   */
  best_epoch: number | null;
  num_trainable_parameters: number | null;
  durations_ms: Durations | null;
  peak_memory_bytes: PeakMemory | null;
  environment: Environment | null;
  /**
   * Trials with the same number ran on the same machine, whose name no report has; null where it is not known. Missing in reports of earlier versions.
   */
  machine?: number | null;
  error: ErrorInfo | null;
}
/**
 * Models over several splits or datasets, by acc_at_50: images of all datasets are resampled together, as the same image may be in several.
 */
export interface Combined1 {
  /**
   * Version of the format.
   */
  schema_version: 1;
  confidence: number;
  smallest_difference: number | null;
  baseline: string | null;
  /**
   * Different images of the primary endpoint.
   */
  num_images: number;
  endpoints: Endpoint[];
  /**
   * Those with answers on all of the primary endpoint first, the best first.
   */
  settings: CombinedSetting[];
  /**
   * The best with each other one, and the declared baseline with each other one, on the primary endpoint.
   */
  comparisons: CombinedComparison[];
  /**
   * How much the figure of the best flatters itself, since it was chosen by it; null with one model, or if it was chosen on val and the primary endpoint is not val.
   */
  optimism: number | null;
  /**
   * What the best was chosen by: acc_at_50 on val, or the primary endpoint.
   */
  selection: "val" | "primary";
  verdict: Verdict;
  /**
   * What is not known of the images, one line each; absent in combined figures of earlier versions, and if there is nothing.
   */
  notes?: string[] | null;
}
/**
 * comparison.json in a comparison's folder: what was compared.
 */
export interface StoredComparison1 {
  /**
   * Version of the format.
   */
  schema_version: 1;
  name: string;
  question: string;
  command: string;
  data: ComparedData[];
  models: ComparedModel[];
  baseline: string | null;
  /**
   * In percentage points.
   */
  smallest_difference: number | null;
  alpha: number;
  published: PublishedResult[];
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepStart".
 */
export interface SweepStart {
  /**
   * UTC, ISO 8601.
   */
  started_at: string;
  /**
   * Null in a start by an earlier version.
   */
  estimate: SweepEstimate | null;
  /**
   * Null if the start was killed, or still runs.
   */
  measured: MeasuredStart | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "MeasuredStart".
 */
export interface MeasuredStart {
  /**
   * From the preparation of features to the end of the last trial.
   */
  duration_ms: number;
  /**
   * Trials that ended in this start.
   */
  num_ended: number;
  is_interrupted: boolean;
  /**
   * Disk space of what this start wrote and that is kept.
   */
  written_bytes: number;
}
/**
 * A file in stop-requests/ of a sweep: `cliprpn stop` asks the process that runs the sweep to stop, or to end one trial.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StopRequest".
 */
export interface StopRequest {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * UTC, ISO 8601.
   */
  at: string;
  /**
   * The trial to end; null for the whole sweep.
   */
  trial_id: string | null;
  /**
   * The command that asks.
   */
  command: string;
}
/**
 * experiment.json in a sweep's folder: what the sweep was asked for, without its trials.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredExperiment".
 */
export interface StoredExperiment {
  /**
   * Version of the format.
   */
  schema_version: 1;
  name: string;
  question: string;
  published: PublishedFigure[];
  /**
   * Label of the configuration that the others are compared with, if the experiment names one.
   */
  baseline?: string;
  /**
   * Smallest difference in Acc@0.5 that matters, in percentage points, if the experiment declares one.
   */
  smallest_difference?: number;
  /**
   * Significance level. Missing in sweeps of earlier versions.
   */
  alpha?: number;
  /**
   * The experiment as read, with its `--set` options. Missing in sweeps of earlier versions.
   */
  experiment?: {};
  trained_on?: DeclaredTraining;
  /**
   * Other splits that the report shows; missing if there are none, and in sweeps of earlier versions.
   */
  evaluate_on?: StoredTarget[];
  source: ExperimentSource;
  dataset: DatasetName;
  keep_models: KeepModels;
}
/**
 * What the experiment declares that weights were trained on; missing if it declares nothing, and in sweeps of earlier versions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "DeclaredTraining".
 */
export interface DeclaredTraining {
  backbone?: TrainedOn;
  /**
   * By the SHA-256 of the detector's file.
   */
  detectors: {
    [k: string]: TrainedOn | undefined;
  };
}
/**
 * A split that completed trials are evaluated on.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredTarget".
 */
export interface StoredTarget {
  dataset: DatasetName;
  split: Split;
}
/**
 * evaluated-on.json in a sweep's folder: splits that `cliprpn evaluate SWEEP --on` named.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "LaterTargets".
 */
export interface LaterTargets {
  schema_version: 1;
  targets: StoredTarget[];
}
/**
 * The attempt that makes what trials share, before they run, started or ended.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PreparationChange".
 */
export interface PreparationChange {
  type: "preparation";
  state: "running" | "completed" | "failed" | "interrupted" | "retried";
  attempt: number;
  /**
   * Of the attempt that ended here.
   */
  duration_ms?: number;
  error?: ErrorInfo;
}
/**
 * A trial started or ended. One that runs again after a failure has several of both.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialChange".
 */
export interface TrialChange {
  type: "trial";
  trial_id: string;
  label: string;
  seed: number;
  /**
   * interrupted: the attempt ended without an outcome, as after Ctrl-C.
   */
  state: "running" | "completed" | "failed" | "interrupted";
  /**
   * Missing for a trial that another process completed.
   */
  attempt?: number;
  /**
   * Missing for a trial that another process completed, and for one that was stopped before it started.
   */
  slot?: number;
  /**
   * Of the attempt that ended here.
   */
  duration_ms?: number;
  /**
   * Acc@0.5 on val of a completed trial.
   */
  acc_at_50?: number;
  error?: ErrorInfo1;
  /**
   * True for a failed attempt whose trial runs again.
   */
  runs_again?: boolean;
}
/**
 * Of a failed attempt.
 */
export interface ErrorInfo1 {
  code: ErrorCode;
  message: string;
}
/**
 * The last line, if a trial has completed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ReportWritten".
 */
export interface ReportWritten {
  type: "report";
  /**
   * Path of the report, REPORT.md.
   */
  report_file: string;
}
/**
 * What the command of `cliprpn sweep --notify` reads from standard input: how a run of a sweep ended. Later versions may add keys; none is removed.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepNotice".
 */
export interface SweepNotice {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * Its name.
   */
  sweep: string;
  /**
   * Of the sweep; absolute.
   */
  folder: string;
  /**
   * completed: all trials are complete. failed: some are not. stopped: by `cliprpn stop`. interrupted: by Ctrl-C or another signal. fault: the machine or the program failed, and `message` says how.
   */
  state: "completed" | "failed" | "stopped" | "interrupted" | "fault";
  /**
   * Of `cliprpn sweep`; 5 if all trials are complete and a condition of --fail-if holds.
   */
  exit_code: number;
  /**
   * Why it ended early; null if it did not.
   */
  message: string | null;
  /**
   * That the experiment asks for.
   */
  num_trials: number;
  num_completed: number;
  num_failed: number;
  /**
   * The configuration with the highest mean so far, upper bounds aside; it compares nothing. Null before a trial has completed.
   */
  best: ConfigurationSoFar | null;
  /**
   * The report on val, absolute; null if this run wrote none.
   */
  report_file: string | null;
  /**
   * UTC, ISO 8601.
   */
  started_at: string;
  /**
   * Of this run.
   */
  duration_ms: number;
}
/**
 * status.json: what a sweep is doing, as its process wrote it last. It counts only while that process has the sweep's lock.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "SweepStatus".
 */
export interface SweepStatus {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * When it was written: UTC, ISO 8601.
   */
  at: string;
  num_trials: number;
  /**
   * Trials that have an outcome; failed ones count.
   */
  num_done: number;
  /**
   * Trials that failed in this run.
   */
  num_failed: number;
  /**
   * Estimated remaining time; null while nothing is known.
   */
  left_ms: number | null;
  /**
   * Lowest and highest remaining time, if the estimate is wrong by as much as earlier ones of single trials were (root mean square of the log ratios); null before three trials have completed in this run. Missing in files of earlier versions.
   *
   * @minItems 2
   * @maxItems 2
   */
  left_range_ms?: [number, number] | null;
  preparing?: RunningPreparation;
  /**
   * Trials that can run at the same time; 0 while no worker of a cluster is there. Missing in files of earlier versions.
   */
  num_slots?: number;
  /**
   * Workers on other machines, and those that were barred. Missing if the trials run on this machine, and in files of earlier versions.
   */
  workers?: WorkerNow[];
  /**
   * Why there are not more workers, for people: jobs that wait and their reasons, nodes that are left out. Missing if there is nothing to say.
   */
  missing_workers?: string;
  leaderboard?: LeaderboardSoFar1;
  running: RunningTrial[];
}
/**
 * The attempt that makes what trials share, while it waits for a worker or runs; no other trial starts then. Missing otherwise.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunningPreparation".
 */
export interface RunningPreparation {
  attempt: number;
  /**
   * UTC, ISO 8601.
   */
  started_at: string;
  /**
   * For people, such as "CLIP image features 40 %".
   */
  activity: string;
  /**
   * Estimated remaining time of the activity; null while nothing is known.
   */
  left_ms: number | null;
  /**
   * Where it runs, if that is not the machine of the sweep's process.
   */
  worker?: string;
}
/**
 * A worker on another machine.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerNow".
 */
export interface WorkerNow {
  /**
   * Host, process id and a random suffix.
   */
  name: string;
  /**
   * Where it runs, for people.
   */
  worker: string;
  /**
   * As the cluster calls it, else the host.
   */
  node: string;
  /**
   * starting: it imports torch. refused: it cannot run these trials. barred: it counts as lost, and takes nothing more.
   */
  state: "starting" | "idle" | "running" | "refused" | "barred";
  /**
   * The slot of its trials.
   */
  slot?: number;
  /**
   * The trial that it runs; none while it makes what trials share.
   */
  trial_id?: string;
  attempt?: number;
  /**
   * Time since its last heartbeat was seen.
   */
  silent_ms?: number;
  /**
   * Why it refused, or was barred.
   */
  reason?: string;
}
/**
 * Completed trials by configuration, also those that completed before this run. It compares nothing: that is for the report. Missing in files of earlier versions.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "LeaderboardSoFar".
 */
export interface LeaderboardSoFar1 {
  /**
   * Those with a completed trial.
   */
  num_configurations: number;
  /**
   * The highest means, at most 50.
   */
  configurations: ConfigurationSoFar[];
  /**
   * Confidence level of the intervals. Missing in files of earlier versions.
   */
  confidence?: number;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunningTrial".
 */
export interface RunningTrial {
  trial_id: string;
  kind: "cliprpn" | "baseline";
  label: string;
  seed: number;
  attempt: number;
  slot: number;
  /**
   * Where it runs, for people; missing for this machine.
   */
  worker?: string;
  /**
   * UTC, ISO 8601.
   */
  started_at: string;
  /**
   * For people, such as "CLIP image features 40 %".
   */
  activity: string;
  /**
   * The last epoch that ended; null before the first.
   */
  epoch: Epoch | null;
  /**
   * Estimated remaining time of the trial; null while nothing is known. Missing in files of earlier versions.
   */
  left_ms?: number | null;
}
/**
 * One line of test-looks.jsonl: new predictions on a test split, recorded before any of their figures is shown.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TestLook".
 */
export interface TestLook {
  /**
   * Version of the format.
   */
  schema_version: 1;
  at: string;
  dataset_id: string;
  dataset_name: string;
  split: Split;
  command: string;
  /**
   * Null for a model outside of a sweep.
   */
  sweep: string | null;
  num_trials: number;
  /**
   * Hashes of the files of answers that were read for the first time; absent for trials.
   */
  answers?: string[];
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
    | "features_copy"
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
 * Training goes back, since the device ran out of memory. Epochs that were sent after this one do not count, and are trained again.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RestartEvent".
 */
export interface RestartEvent {
  type: "restart";
  /**
   * The last one that counts; null for the start.
   */
  epoch: Epoch | null;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WarningEvent".
 */
export interface WarningEvent {
  type: "warning";
  message: string;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "ClipRpnIdentity".
 */
export interface ClipRpnIdentity {
  schema_version: 1;
  kind: "cliprpn";
  trial_id: string;
  seed: number;
  num_threads: number;
  dataset: StoredDataset;
  backbone: StoredBackbone;
  settings: StoredSettings;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredDataset".
 */
export interface StoredDataset {
  /**
   * Hash of the annotations.
   */
  id: string;
  split_by: SplitBy;
}
/**
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredBackbone".
 */
export interface StoredBackbone {
  name: "cliprpn-tiny" | "RN50-quickgelu";
  /**
   * `openai`, or the SHA-256 of the file.
   */
  weights_id: string;
}
/**
 * All settings of one trial. An experiment file sets some of them; a preset sets the rest.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredSettings".
 */
export interface StoredSettings {
  /**
   * Side of the square that an image is resized to before CLIP, in pixels; a multiple of 32.
   */
  image_size_px: number;
  resize: Resize;
  /**
   * Side of the square coordinate frame of anchors and boxes during training, in pixels.
   */
  frame_size_px: number;
  /**
   * Channels of the 1x1 projection before the fusion; null for no projection (as in ClipRPN (Trento)).
   */
  neck_channels: number | null;
  fusion: StoredFusion;
  anchors: Anchors;
  rpn: Rpn;
  training: Training;
  limits: Limits;
}
/**
 * A custom fusion: a class in a Python file.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredFileFusion".
 */
export interface StoredFileFusion {
  kind: "file";
  /**
   * Keyword arguments of the class, as finite JSON values.
   */
  params: {
    [k: string]: unknown | undefined;
  };
  source_sha256: string;
  class: string;
}
/**
 * Without a seed: nothing is trained.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "BaselineIdentity".
 */
export interface BaselineIdentity {
  schema_version: 1;
  kind: "baseline";
  trial_id: string;
  num_threads: number;
  dataset: StoredDataset;
  backbone: StoredBackbone;
  baseline: StoredBaseline;
  limits: Limits;
}
/**
 * A fully resolved baseline: the detector that proposes boxes, and how CLIP ranks them.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredBaseline".
 */
export interface StoredBaseline {
  detector: StoredDetector;
  /**
   * The view of a box that CLIP encodes: `crop` (as in ClipRPN (Trento)), `blur` (everything outside the box is blurred), `circle` (a red circle around the box), or `crop+blur` (both views, as in ReCLIP without relations).
   */
  ranking: "crop" | "blur" | "circle" | "crop+blur";
  /**
   * Prompt templates; {} is the placeholder for the referring expression. The embeddings of several templates are averaged.
   *
   * @minItems 1
   * @maxItems 100
   */
  templates: [string, ...string[]];
  /**
   * Adds the CLIP text similarity between the box's class name and the referring expression to the score.
   */
  category_prior: boolean;
  /**
   * Detections with a lower score are dropped.
   */
  score_thresh: number;
  /**
   * IoU threshold of the detector's non-maximum suppression, applied per class.
   */
  nms_thresh: number;
  /**
   * The maximum number of boxes per image that are ranked; those with the highest scores are kept.
   */
  max_boxes: number;
}
/**
 * Any YOLO that ultralytics can load, or an .onnx of the yolov5 or yolov7 repository.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredYoloDetector".
 */
export interface StoredYoloDetector {
  kind: "yolo";
  sha256: string;
  /**
   * Input size of the detector: images are letterboxed to a square with this side, in pixels. null for the size that the weights were trained with.
   */
  image_size_px: number | null;
  /**
   * Class names, in the order of the detector's outputs; null for those stored with the weights.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes: [string, ...string[]] | null;
}
/**
 * YOLOX as .onnx, exported without box decoding.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredYoloxDetector".
 */
export interface StoredYoloxDetector {
  kind: "yolox";
  sha256: string;
  /**
   * Class names, in the order of the detector's outputs; null for COCO's 80 classes.
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
 * via the `definition` "StoredFasterRcnnDetector".
 */
export interface StoredFasterRcnnDetector {
  kind: "faster_rcnn";
  variant: FasterRcnnVariant;
  /**
   * SHA-256 of the file; `coco` for the weights of torchvision.
   */
  sha256: string;
  /**
   * Class names, in the order of the detector's outputs; null for COCO's 80 classes.
   *
   * @minItems 1
   * @maxItems 10000
   */
  classes: [string, ...string[]] | null;
}
/**
 * Proposals from detections made elsewhere: COCO results JSON, other detectors' JSON, JSON lines or CSV, or a folder with a file for each image.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredFileDetector".
 */
export interface StoredFileDetector {
  kind: "file";
  sha256: string;
  /**
   * What the four numbers of a box are: pixels, normalized to [0, 1] (_norm), or 0 to 1000 (_1000). null for what is usual for the file's layout, which is checked.
   */
  box_format:
    | "xywh"
    | "xywh_norm"
    | "xywh_1000"
    | "xyxy"
    | "xyxy_norm"
    | "xyxy_1000"
    | "cxcywh"
    | "cxcywh_norm"
    | "cxcywh_1000"
    | "yxyx"
    | "yxyx_norm"
    | "yxyx_1000"
    | null;
  /**
   * The score of a certain detection, such as 100 for percent. null for 1.
   */
  score_max: number | null;
  /**
   * The class of each category_id, if the file has no class names: COCO's ids 1 to 90 (coco), COCO's 80 classes from 0 (coco80) or from 1 (coco80_from_1), or boxes without class (none). null for the numbering that agrees with the annotated objects.
   */
  category_ids: "coco" | "coco80" | "coco80_from_1" | "none" | null;
}
/**
 * The proposals of a trained ClipRPN, which depend on the referring expression.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "StoredRpnDetector".
 */
export interface StoredRpnDetector {
  kind: "rpn";
  sha256: string;
}
/**
 * places.json of a sweep: where its trials run and find their files. Nothing in it is part of a trial's id.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialPlaces".
 */
export interface TrialPlaces {
  schema_version: 1;
  device: string;
  /**
   * Absolute path of the folder for frozen features and prepared datasets.
   */
  cache_dir: string;
  /**
   * Absolute path of the prepared dataset's folder.
   */
  dataset_root: string;
  dataset_name: string;
  /**
   * `shipped`, `openai` or the absolute path of a file.
   */
  backbone_weights: string;
  /**
   * Absolute paths of the detectors' files, by the SHA-256 of their content.
   */
  detector_files: {
    [k: string]: string | undefined;
  };
}
/**
 * One line of trials.jsonl in a sweep's folder: a trial that the experiment asks for, or asked for in an earlier version.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "TrialRow".
 */
export interface TrialRow {
  /**
   * Version of the format.
   */
  schema_version: 1;
  /**
   * Human-readable name of the trial's configuration, such as `film`.
   */
  label: string;
  /**
   * Null for a baseline.
   */
  preset: ("default" | "reference") | null;
  seed: number;
  /**
   * False if only an earlier version of the experiment asked for it.
   */
  asked: boolean;
  /**
   * The attempt that counted when a run of the sweep last ended; null before that.
   */
  attempt: number | null;
  /**
   * Number of lines of the file, which shows that lines are lost; absent in files of earlier versions.
   */
  num_rows?: number;
  trial: TrialIdentity;
}
/**
 * An event of the attempt that runs.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerEvent".
 */
export interface WorkerEvent {
  type: "event";
  event: TrialEvent;
}
/**
 * The last line about an attempt. Without an error, its outcome lies in its folder.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "WorkerEnded".
 */
export interface WorkerEnded {
  type: "ended";
  /**
   * As it lies in the attempt's folder; null if there is none, and for a preparation.
   */
  outcome: TrialOutcome | null;
  /**
   * Why there is no outcome; `interrupted` after a request to stop.
   */
  error: ErrorInfo | null;
}
/**
 * Runs an attempt; one at a time.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "RunRequest".
 */
export interface RunRequest {
  type: "run";
  params: RunTrialParams;
  /**
   * Absolute path; receives what the attempt prints.
   */
  log_file: string;
}
/**
 * Makes what trials share, as an attempt of its own; one attempt at a time.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "PrepareRequest".
 */
export interface PrepareRequest {
  type: "prepare";
  params: RunPreparationParams;
  /**
   * Absolute path; receives what the attempt prints.
   */
  log_file: string;
}
/**
 * Asks the attempt that runs to stop; it ends with the error `interrupted`.
 *
 * This interface was referenced by `Contract`'s JSON-Schema
 * via the `definition` "EndRequest".
 */
export interface EndRequest {
  type: "stop";
}
