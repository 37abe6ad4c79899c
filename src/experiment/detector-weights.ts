import { existsSync, readdirSync } from "node:fs";
import { extname, join, parse, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { joinWords } from "../base/format.ts";
import { describeUnreadable, isFolder } from "./input-files.ts";

/** The folders to search for a detector's weights. */
export interface WeightsPlaces {
  cwd: string;
  /** Folders to search for a name, in this order. */
  weightsFolders: string[];
  /** True if a .pt file may be loaded, which can run code. */
  trustWeights: boolean;
}

/** A file of weights, or an error message. */
export type WeightsResult = { file: string } | { message: string };

/**
 * Finds weights by a path, or by a name without slash or extension: `yolov8n` is `weights/yolov8n.onnx` or `weights/yolov8n.pt`.
 *
 * @param kind of the detector.
 * @param extensions that the detector accepts, the preferred one first.
 */
export function findWeights(
  kind: string,
  weights: string,
  extensions: string[],
  places: WeightsPlaces,
): WeightsResult {
  const isName = /^[^/\\.]+$/.test(weights);
  if (!isName && !extensions.includes(extname(weights)))
    return {
      message: `expected ${joinWords(
        extensions.map((extension) => `a ${extension} file`),
        "or",
      )}, found ${weights}`,
    };
  const candidates = isName
    ? places.weightsFolders.flatMap((folder) =>
        extensions.map((extension) => join(folder, weights + extension)),
      )
    : [resolve(places.cwd, weights)];
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    const names = extensions.map((extension) => weights + extension);
    const expected = isName
      ? `expected ${joinWords(names, "or")} in ${joinWords(places.weightsFolders, "or")}, found none`
      : `expected weights, found no file ${candidates[0]}`;
    return { message: `${expected}${remedyFor(kind, parse(weights).name, places)}` };
  }
  const unreadable = describeUnreadable(file);
  return unreadable === undefined ? { file } : { message: `expected weights, found ${unreadable}` };
}

/** Instructions for missing weights. */
function remedyFor(kind: string, name: string, places: WeightsPlaces): string {
  const published = findPublished(name);
  if (published?.kind === kind) return `; download ${downloadAdvice(published, places)}`;
  if (published !== undefined)
    return `; ${name} is a ${published.kind} model: use "kind": "${published.kind}"`;
  const files = places.weightsFolders.filter(isFolder).flatMap((folder) => readdirSync(folder));
  const publishedNames = publishedWeights.filter((each) => each.kind === kind).map((each) => each.name);
  const suggestion = didYouMean(name, [...files.map((file) => parse(file).name), ...publishedNames]);
  return suggestion === "" ? "; put the weights there, or set another path" : `.${suggestion}`;
}

function downloadAdvice(
  { url, license }: PublishedWeights,
  { weightsFolders, trustWeights }: WeightsPlaces,
): string {
  const trust = url.endsWith(".pt") && !trustWeights ? ", and pass --trust-weights for a .pt file" : "";
  return `${url} (${license}) into ${weightsFolders[0]}/${trust}`;
}

/** Weights that their authors publish under a name. */
export interface PublishedWeights {
  kind: "yolo" | "yolox";
  name: string;
  url: string;
  license: string;
}

export function findPublished(name: string): PublishedWeights | undefined {
  return publishedWeights.find((each) => each.name === name);
}

/** True if these are weights of the YOLOv5 repository (`yolov5s`, `yolov5s6`), which ultralytics cannot load. */
export function isOriginalYolov5(name: string): boolean {
  return /^yolov5[nsmlx]6?$/.test(name);
}

const sizes = ["n", "s", "m", "l", "x"];

/** URLs from the authors' documentation. */
const publishedWeights: PublishedWeights[] = [
  ...["yolov5#u", "yolov8#", "yolo11#"]
    .flatMap((family) => sizes.map((size) => family.replace("#", size)))
    .map((name) => ({
      kind: "yolo" as const,
      name,
      url: `https://github.com/ultralytics/assets/releases/download/v8.3.0/${name}.pt`,
      license: "AGPL-3.0",
    })),
  ...["nano", "tiny", "s", "m", "l", "darknet", "x"]
    .map((size) => `yolox_${size}`)
    .map((name) => ({
      kind: "yolox" as const,
      name,
      url: `https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/${name}.onnx`,
      license: "Apache-2.0",
    })),
];
