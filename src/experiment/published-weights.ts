/** Weights that their authors publish under a name. */
export interface PublishedWeights {
  kind: "yolo" | "yolox";
  name: string;
  url: string;
  licence: string;
}

export function publishedUnder(name: string): PublishedWeights | undefined {
  return publishedWeights.find((one) => one.name === name);
}

/** YOLOv5 of its own repository, `yolov5s` or `yolov5s6`: ultralytics cannot load it, and has one of its own instead. */
export function isOriginalYolov5(name: string): boolean {
  return /^yolov5[nsmlx]6?$/.test(name);
}

const sizes = ["n", "s", "m", "l", "x"];

/** Addresses as the authors' own documentation has them. */
export const publishedWeights: PublishedWeights[] = [
  ...["yolov5#u", "yolov8#", "yolo11#"]
    .flatMap((family) => sizes.map((size) => family.replace("#", size)))
    .map((name) => ({
      kind: "yolo" as const,
      name,
      url: `https://github.com/ultralytics/assets/releases/download/v8.3.0/${name}.pt`,
      licence: "AGPL-3.0",
    })),
  ...["nano", "tiny", "s", "m", "l", "darknet", "x"]
    .map((size) => `yolox_${size}`)
    .map((name) => ({
      kind: "yolox" as const,
      name,
      url: `https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/${name}.onnx`,
      licence: "Apache-2.0",
    })),
];
