import { extname, join, parse, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { Detector, DetectorChoice, DetectorObject } from "../contract/generated/types.ts";
import { asDetectorObject, type DetectorKind, detectorKeys, kindsWith } from "./detector-kinds.ts";
import { findWeights, type WeightsPlaces } from "./find-weights.ts";
import type { Placed } from "./placed.ts";
import { trainedYolo } from "./presets.ts";
import { isOriginalYolov5 } from "./published-weights.ts";
import { isFolder, unfitFile } from "./unfit-file.ts";

/** What a written detector depends on. */
export interface DetectorPlaces extends WeightsPlaces {
  /** Whether the data set is the demo, on whose boxes a YOLO is trained in minutes. */
  isDemo: boolean;
  /**
   * A model file, or a trial's folder, by what a person calls it.
   *
   * @throws CliprpnError not_found.
   */
  findModel(name: string): string;
  /** SHA-256 of a file that is there. */
  hashFile(file: string): string;
}

/** A detector with its files, known by their content; or what is wrong with it, placed within it. */
export type IdentifiedDetector = { detector: Detector } | { problems: Placed[] };

export function identifyDetector(choice: DetectorChoice, places: DetectorPlaces): IdentifiedDetector {
  const own = typeof choice === "string" ? { kind: choice } : choice;
  const found = kinds[own.kind](own, places);
  const problems = [...strayKeys(own), ...("kind" in found ? [] : [found])];
  return problems.length === 0 && "kind" in found ? { detector: found } : { problems };
}

type Identify = (own: DetectorObject, places: DetectorPlaces) => Detector | Placed;

const kinds: Record<DetectorKind, Identify> = {
  yolo,
  trained_yolo: trained,
  yolox,
  faster_rcnn: fasterRcnn,
  file: resultsFile,
  rpn,
  gt_boxes: () => ({ kind: "gt_boxes" }),
  whole_picture: () => ({ kind: "whole_picture" }),
};

/** Without weights, on the demo, it is one that is trained there. */
function yolo(own: DetectorObject, places: DetectorPlaces): Detector | Placed {
  const { weights, image_size_px = null } = own;
  if (weights === undefined)
    return places.isDemo
      ? trained(own)
      : problem(
          "yolo needs weights on this data set, such as yolov5su; or take trained_yolo, which is trained on its train split",
        );
  if (isOriginalYolov5(parse(weights).name) && extname(weights) !== ".onnx")
    return problem(originalYolov5(parse(weights).name), "weights");
  const found = findWeights("yolo", weights, [".onnx", ".pt"], places);
  if ("unfit" in found) return problem(found.unfit, "weights");
  if (extname(found.file) === ".pt" && !places.trustWeights)
    return problem(
      `${found.file}: a .pt runs code when it is loaded; give --trust-weights if you trust it, or export it to .onnx`,
      "weights",
    );
  return { kind: "yolo", ...known(found.file, places), image_size_px };
}

function originalYolov5(name: string): string {
  return `ultralytics cannot load the original's ${name}; ${name}u stands in for it, and the original's own detections can come as {"kind": "file", "file": "detections.json"}`;
}

function trained({
  image_size_px = trainedYolo.image_size_px,
  num_epochs = trainedYolo.num_epochs,
}: DetectorObject): Detector | Placed {
  return image_size_px < 64 || image_size_px > 2048
    ? problem(
        `expected a whole number in [64, 2048] where a YOLO is trained, found ${image_size_px}`,
        "image_size_px",
      )
    : { ...trainedYolo, image_size_px, num_epochs };
}

function yolox(own: DetectorObject, places: DetectorPlaces): Detector | Placed {
  const { weights, classes = null } = own;
  if (weights === undefined) return lacking("yolox", "weights");
  const found = findWeights("yolox", weights, [".onnx"], places);
  return "unfit" in found
    ? problem(found.unfit, "weights")
    : { kind: "yolox", ...known(found.file, places), classes };
}

function fasterRcnn(own: DetectorObject, places: DetectorPlaces): Detector | Placed {
  const { weights = "coco", variant = "resnet50_fpn_v2", classes = null } = own;
  if (weights === "coco")
    return classes === null
      ? { kind: "faster_rcnn", variant, file: "coco", sha256: "coco", classes }
      : problem("belong to weights of your own; those of COCO have its 80", "classes");
  const found = findWeights("faster_rcnn", weights, [".safetensors", ".pth", ".pt"], places);
  return "unfit" in found
    ? problem(found.unfit, "weights")
    : { kind: "faster_rcnn", variant, ...known(found.file, places), classes };
}

function resultsFile({ file }: DetectorObject, places: DetectorPlaces): Detector | Placed {
  if (file === undefined) return lacking("file", "file");
  const path = resolve(places.cwd, file);
  const unfit = unfitFile(path);
  return unfit === undefined
    ? { kind: "file", ...known(path, places) }
    : problem(`expected COCO results JSON, found ${unfit}`, "file");
}

/** Of a trial its best model. */
function rpn({ model }: DetectorObject, places: DetectorPlaces): Detector | Placed {
  if (model === undefined) return lacking("rpn", "model");
  const path = modelPath(model, places);
  if (typeof path !== "string") return path;
  const file = isFolder(path) ? join(path, "best.safetensors") : path;
  const unfit = unfitFile(file) ?? (extname(file) === ".safetensors" ? undefined : file);
  return unfit === undefined
    ? { kind: "rpn", ...known(file, places) }
    : problem(`expected a trained ClipRPN (its trial, or a .safetensors file), found ${unfit}`, "model");
}

function modelPath(model: string, { findModel }: DetectorPlaces): string | Placed {
  try {
    return findModel(model);
  } catch (error) {
    if (error instanceof CliprpnError) return problem(error.message, "model");
    throw error;
  }
}

function known(file: string, { hashFile }: DetectorPlaces): { file: string; sha256: string } {
  return { file, sha256: hashFile(file) };
}

function strayKeys(own: DetectorObject): Placed[] {
  const taken: string[] = ["kind", ...detectorKeys[own.kind]];
  return Object.keys(own)
    .filter((key) => !taken.includes(key))
    .map((key) => problem(`belongs to ${kindsWith(key)}, found with ${own.kind}`, key));
}

function lacking(kind: DetectorKind, key: string): Placed {
  return problem(`expected a key ${key}, found none: ${asDetectorObject(kind)}`);
}

function problem(message: string, ...path: string[]): Placed {
  return { path, message };
}
