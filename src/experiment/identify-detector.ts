import { extname, join, parse, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { Detector, DetectorChoice, DetectorObject } from "../contract/generated/types.ts";
import { findWeights, isOriginalYolov5, type WeightsPlaces } from "./detector-weights.ts";
import { type DetectorKind, detectors, exampleDetector, kindsWithKey } from "./detectors.ts";
import { describeUnreadable, isFolder } from "./input-files.ts";
import { trainedYolo } from "./presets.ts";
import type { Problem } from "./problem.ts";
import { hashResultsFolder } from "./results-folder.ts";

/** Everything outside an experiment that its detectors depend on. */
export interface DetectorPlaces extends WeightsPlaces {
  /** True if the dataset is the demo, where a YOLO can be trained in minutes. */
  isDemo: boolean;
  /**
   * Finds a model file, or a trial's folder, by the name that a person gives.
   *
   * @throws CliprpnError not_found.
   */
  findModel(name: string): string;
  /** SHA-256 of an existing file. */
  hashFile(file: string): string;
}

/** A detector whose files are identified by their content, or its problems, with paths inside it. */
export type DetectorResult = { detector: Detector } | { problems: Problem[] };

export function identifyDetector(choice: DetectorChoice, places: DetectorPlaces): DetectorResult {
  const written = typeof choice === "string" ? { kind: choice } : choice;
  const result = identifiers[written.kind](written, places);
  const problems = [...unexpectedKeys(written), ...("kind" in result ? [] : [result])];
  return problems.length === 0 && "kind" in result ? { detector: result } : { problems };
}

type Identify = (written: DetectorObject, places: DetectorPlaces) => Detector | Problem;

const identifiers: Record<DetectorKind, Identify> = {
  yolo: identifyYolo,
  trained_yolo: identifyTrainedYolo,
  yolox: identifyYolox,
  faster_rcnn: identifyFasterRcnn,
  file: identifyResultsFile,
  rpn: identifyRpn,
  gt_boxes: () => ({ kind: "gt_boxes" }),
  whole_image: () => ({ kind: "whole_image" }),
};

/** On the demo, a YOLO without weights is one that is trained here. */
function identifyYolo(written: DetectorObject, places: DetectorPlaces): Detector | Problem {
  const { weights, image_size_px = null, classes = null } = written;
  if (weights === undefined && classes !== null) return problem("only valid with weights", "classes");
  if (weights === undefined)
    return places.isDemo
      ? identifyTrainedYolo(written)
      : problem(
          "expected weights, such as yolov5su (only the demo has a default), or the detector trained_yolo, which is trained on the dataset's train split",
        );
  if (isOriginalYolov5(parse(weights).name) && extname(weights) !== ".onnx")
    return problem(originalYolov5(parse(weights).name), "weights");
  const result = findWeights("yolo", weights, [".onnx", ".pt"], places);
  if ("message" in result) return problem(result.message, "weights");
  if (extname(result.file) === ".pt" && !places.trustWeights)
    return problem(
      `${result.file}: a .pt file can run code when it is loaded; pass --trust-weights if you trust it, or export it to .onnx`,
      "weights",
    );
  return { kind: "yolo", ...identifyFile(result.file, places), image_size_px, classes };
}

function originalYolov5(name: string): string {
  return `ultralytics cannot load ${name} of the YOLOv5 repository, which ClipRPN (Trento) used; use ${name}u instead, or pass the original detections as ${detectors.file.example}`;
}

function identifyTrainedYolo({
  image_size_px = trainedYolo.image_size_px,
  num_epochs = trainedYolo.num_epochs,
}: DetectorObject): Detector | Problem {
  return image_size_px < 64 || image_size_px > 2048
    ? problem(
        `expected an integer in [64, 2048] for a YOLO that is trained here, found ${image_size_px}`,
        "image_size_px",
      )
    : { ...trainedYolo, image_size_px, num_epochs };
}

function identifyYolox(written: DetectorObject, places: DetectorPlaces): Detector | Problem {
  const { weights, classes = null } = written;
  if (weights === undefined) return missingKey("yolox", "weights");
  const result = findWeights("yolox", weights, [".onnx"], places);
  return "message" in result
    ? problem(result.message, "weights")
    : { kind: "yolox", ...identifyFile(result.file, places), classes };
}

function identifyFasterRcnn(written: DetectorObject, places: DetectorPlaces): Detector | Problem {
  const { weights = "coco", variant = "resnet50_fpn_v2", classes = null } = written;
  if (weights === "coco")
    return classes === null
      ? { kind: "faster_rcnn", variant, file: "coco", sha256: "coco", classes }
      : problem("only valid with your own weights; the COCO weights have COCO's 80 classes", "classes");
  const result = findWeights("faster_rcnn", weights, [".safetensors", ".pth", ".pt"], places);
  return "message" in result
    ? problem(result.message, "weights")
    : { kind: "faster_rcnn", variant, ...identifyFile(result.file, places), classes };
}

/** A folder has a file for each image, as YOLO's labels; the hash is of their names and contents. */
function identifyResultsFile(written: DetectorObject, places: DetectorPlaces): Detector | Problem {
  const { file, box_format = null, score_max = null, category_ids = null } = written;
  if (file === undefined) return missingKey("file", "file");
  const path = resolve(places.cwd, file);
  const options = { box_format, score_max, category_ids };
  if (isFolder(path)) {
    const sha256 = hashResultsFolder(path, places.hashFile);
    return sha256 === undefined
      ? problem(
          `expected .json or .txt files with the detections of each image, found none in ${path}`,
          "file",
        )
      : { kind: "file", file: path, sha256, ...options };
  }
  const unreadable = describeUnreadable(path);
  return unreadable === undefined
    ? { kind: "file", ...identifyFile(path, places), ...options }
    : problem(`expected detections, such as COCO results JSON, found ${unreadable}`, "file");
}

/** A trial's folder stands for its best model. */
function identifyRpn({ model }: DetectorObject, places: DetectorPlaces): Detector | Problem {
  if (model === undefined) return missingKey("rpn", "model");
  const path = findModelPath(model, places);
  if (typeof path !== "string") return path;
  const file = isFolder(path) ? join(path, "best.safetensors") : path;
  const wrongFile = describeUnreadable(file) ?? (extname(file) === ".safetensors" ? undefined : file);
  return wrongFile === undefined
    ? { kind: "rpn", ...identifyFile(file, places) }
    : problem(`expected a trained ClipRPN (a trial, or a .safetensors file), found ${wrongFile}`, "model");
}

function findModelPath(model: string, { findModel }: DetectorPlaces): string | Problem {
  try {
    return findModel(model);
  } catch (error) {
    if (error instanceof CliprpnError) return problem(error.message, "model");
    throw error;
  }
}

function identifyFile(file: string, { hashFile }: DetectorPlaces): { file: string; sha256: string } {
  return { file, sha256: hashFile(file) };
}

function unexpectedKeys(written: DetectorObject): Problem[] {
  const allowed: string[] = ["kind", ...detectors[written.kind].keys];
  return Object.keys(written)
    .filter((key) => !allowed.includes(key))
    .map((key) => problem(`only valid for ${kindsWithKey(key)}, found with ${written.kind}`, key));
}

function missingKey(kind: DetectorKind, key: string): Problem {
  return problem(`missing required key ${key}; write ${exampleDetector(kind)}`);
}

function problem(message: string, ...path: string[]): Problem {
  return { path, message };
}
