import { basename, parse } from "node:path";
import { joinWords } from "../base/format.ts";
import type {
  Detector,
  DetectorChoice,
  DetectorObject,
  FileDetector,
  TrialSpec,
} from "../contract/generated/types.ts";
import { findPublished } from "./detector-weights.ts";
import { trainedYolo } from "./presets.ts";

export type DetectorKind = DetectorObject["kind"];

/** An optional set of Python packages that a detector needs. */
export type DetectorExtra = "yolo" | "onnx";

interface DetectorInfo {
  /** The name in the question of `cliprpn baseline`. */
  noun: string;
  /** The keys that an experiment may set besides `kind`. */
  keys: (keyof DetectorObject)[];
  extra?: DetectorExtra;
  /** Example for a detector that needs more than its kind. */
  example?: string;
}

/** The one list of detector kinds. */
export const detectors: Record<DetectorKind, DetectorInfo> = {
  yolo: { noun: "YOLO", keys: ["weights", "image_size_px", "classes", "trained_on"], extra: "yolo" },
  trained_yolo: { noun: "a YOLO trained here", keys: ["image_size_px", "num_epochs"], extra: "yolo" },
  yolox: {
    noun: "YOLOX",
    keys: ["weights", "classes", "trained_on"],
    extra: "onnx",
    example: '{"kind": "yolox", "weights": "yolox_nano"}',
  },
  faster_rcnn: { noun: "Faster R-CNN", keys: ["weights", "variant", "classes", "trained_on"] },
  file: {
    noun: "the boxes of a file",
    keys: ["file", "box_format", "score_max", "category_ids", "trained_on"],
    example: '{"kind": "file", "file": "detections.json"}',
  },
  rpn: {
    noun: "a ClipRPN's proposals",
    keys: ["model", "trained_on"],
    example: '{"kind": "rpn", "model": "TRIAL"}',
  },
  gt_boxes: { noun: "annotated boxes", keys: [] },
  whole_image: { noun: "whole images", keys: [] },
};

/** All detector kinds, in the order of help and messages. */
export const detectorKinds = Object.keys(detectors) as DetectorKind[]; // A Record of exactly these keys.

/** The formats that the boxes of a file may have. */
export const detectorBoxFormats: NonNullable<FileDetector["box_format"]>[] = [
  ...(["xywh", "xywh_norm", "xywh_1000"] as const),
  ...(["xyxy", "xyxy_norm", "xyxy_1000"] as const),
  ...(["cxcywh", "cxcywh_norm", "cxcywh_1000"] as const),
  ...(["yxyx", "yxyx_norm", "yxyx_1000"] as const),
];

/** The numberings of classes that a file may use. */
export const categoryIds: NonNullable<FileDetector["category_ids"]>[] = [
  "coco",
  "coco80",
  "coco80_from_1",
  "none",
];

/** The detector of a baseline that names none. */
export const defaultDetector: DetectorChoice = "yolo";

/** The detector's name in tables and legends: `YOLO yolov5su`, `boxes of dets.json`. */
export function detectorLabel(detector: Detector): string {
  switch (detector.kind) {
    case "yolo":
      return `YOLO ${stem(detector.file)}${inBrackets(pixels(detector.image_size_px, null))}`;
    case "trained_yolo": {
      const { num_epochs, image_size_px } = detector;
      const epochs =
        num_epochs === trainedYolo.num_epochs ? [] : [num_epochs === 1 ? "1 epoch" : `${num_epochs} epochs`];
      return `YOLO trained here${inBrackets([...epochs, ...pixels(image_size_px, trainedYolo.image_size_px)])}`;
    }
    case "yolox":
      return `YOLOX ${stem(detector.file)}`;
    case "faster_rcnn":
      return `Faster R-CNN ${detector.variant}${inBrackets(detector.file === "coco" ? [] : [stem(detector.file)])}`;
    case "file":
      return `boxes of ${basename(detector.file)}${inBrackets(fileOptions(detector))}`;
    case "rpn":
      return `RPN of ${modelName(detector.file)}`;
    case "gt_boxes":
      return "ground-truth boxes";
    case "whole_image":
      return "whole image";
  }
}

/** The extras that the trials' detectors need, each once. */
export function neededExtras(trials: readonly TrialSpec[]): DetectorExtra[] {
  const extras = trials.flatMap((spec) => {
    const extra = spec.kind === "baseline" ? detectors[spec.baseline.detector.kind].extra : undefined;
    return extra === undefined ? [] : [extra];
  });
  return [...new Set(extras)];
}

/** The kinds that have a key, for messages: `yolox and faster_rcnn` for `classes`. */
export function kindsWithKey(key: string): string {
  return joinWords(detectorKinds.filter((kind) => detectors[kind].keys.some((name) => name === key)));
}

/** The object to write for a kind, or for published weights, whose name alone is not enough. */
export function exampleDetector(name: string): string | undefined {
  const published = findPublished(name);
  if (published !== undefined) return `{"kind": "${published.kind}", "weights": "${published.name}"}`;
  const kind = detectorKinds.find((each) => each === name);
  return kind === undefined ? undefined : detectors[kind].example;
}

/** A trial's best model is named by the first characters of the trial's id; any other model by its file. */
function modelName(file: string): string {
  const trial = file.split("/").findLast((folder) => /^[0-9a-f]{16}$/.test(folder));
  return trial !== undefined && stem(file) === "best" ? trial.slice(0, 8) : basename(file);
}

function stem(file: string): string {
  return parse(file).name;
}

function pixels(size: number | null, usual: number | null): string[] {
  return size === usual ? [] : [`${size} px`];
}

function fileOptions({ box_format, score_max, category_ids }: FileDetector): string[] {
  return [
    ...(box_format === null ? [] : [box_format]),
    ...(score_max === null ? [] : [`scores to ${score_max}`]),
    ...(category_ids === null ? [] : [`classes ${category_ids}`]),
  ];
}

function inBrackets(details: string[]): string {
  return details.length === 0 ? "" : ` (${details.join(", ")})`;
}
