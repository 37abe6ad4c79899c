import type { DetectorObject } from "../contract/generated/types.ts";
import { publishedUnder } from "./published-weights.ts";

export type DetectorKind = DetectorObject["kind"];

/** What may be said of a detector of each kind. */
export const detectorKeys: Record<DetectorKind, (keyof DetectorObject)[]> = {
  yolo: ["weights", "image_size_px"],
  trained_yolo: ["image_size_px", "num_epochs"],
  yolox: ["weights", "classes"],
  faster_rcnn: ["weights", "variant", "classes"],
  file: ["file"],
  rpn: ["model"],
  gt_boxes: [],
  whole_picture: [],
};

/** `yolox and faster_rcnn`, for `classes`. */
export function kindsWith(key: string): string {
  const kinds = Object.entries(detectorKeys).filter(([, keys]) => keys.some((own) => own === key));
  return kinds.map(([kind]) => kind).join(" and ");
}

/** The object to write for a detector whose name alone is not enough: a kind that needs a file, or weights. */
export function asDetectorObject(name: string): string | undefined {
  const published = publishedUnder(name);
  return published === undefined
    ? needsMore[name]
    : `{"kind": "${published.kind}", "weights": "${published.name}"}`;
}

const needsMore: Record<string, string> = {
  yolox: '{"kind": "yolox", "weights": "yolox_nano"}',
  file: '{"kind": "file", "file": "detections.json"}',
  rpn: '{"kind": "rpn", "model": "TRIAL"}',
};
