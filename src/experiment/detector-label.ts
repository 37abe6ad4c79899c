import { basename, dirname, parse } from "node:path";
import type { Detector } from "../contract/generated/types.ts";
import { trainedYolo } from "./presets.ts";

/** Who proposes, for tables and legends: `YOLO yolov5su`, `boxes of dets.json`. */
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
      return `boxes of ${basename(detector.file)}`;
    case "rpn":
      return `RPN of ${modelName(detector.file)}`;
    case "gt_boxes":
      return "gt boxes";
    case "whole_picture":
      return "whole image";
  }
}

/** A trial's best model goes by the beginning of the trial's id; any other by its file. */
function modelName(file: string): string {
  const trial = basename(dirname(file));
  return /^[0-9a-f]{16}$/.test(trial) && stem(file) === "best" ? trial.slice(0, 8) : basename(file);
}

function stem(file: string): string {
  return parse(file).name;
}

function pixels(size: number | null, usual: number | null): string[] {
  return size === usual ? [] : [`${size} px`];
}

function inBrackets(details: string[]): string {
  return details.length === 0 ? "" : ` (${details.join(", ")})`;
}
