import { existsSync, readdirSync } from "node:fs";
import { extname, join, parse, resolve } from "node:path";
import { hint } from "../base/hint.ts";
import { type PublishedWeights, publishedUnder, publishedWeights } from "./published-weights.ts";
import { isFolder, unfitFile } from "./unfit-file.ts";

/** Where a detector's weights may lie. */
export interface WeightsPlaces {
  cwd: string;
  /** Folders in which a name is looked for, the first one first. */
  weightsFolders: string[];
  /** Whether a .pt may be loaded, which runs code. */
  trustWeights: boolean;
}

/** The file of weights, or why there is none, in words. */
export type FoundWeights = { file: string } | { unfit: string };

/**
 * Weights by their path, or by a name without slash or ending: `yolov8n` is `weights/yolov8n.onnx`, or `weights/yolov8n.pt`.
 *
 * @param kind of the detector that they are for.
 * @param endings those that the detector takes, the preferred first.
 */
export function findWeights(
  kind: string,
  weights: string,
  endings: string[],
  places: WeightsPlaces,
): FoundWeights {
  const named = /^[^/\\.]+$/.test(weights);
  if (!named && !endings.includes(extname(weights)))
    return { unfit: `expected ${orList(endings.map((ending) => `a ${ending}`))}, found ${weights}` };
  const candidates = named
    ? places.weightsFolders.flatMap((folder) => endings.map((ending) => join(folder, weights + ending)))
    : [resolve(places.cwd, weights)];
  const found = candidates.find((file) => existsSync(file));
  if (found === undefined) {
    const expected = named
      ? `expected ${orList(endings.map((ending) => weights + ending))} in ${orList(places.weightsFolders)}, found none`
      : `expected weights, found no file ${candidates[0]}`;
    return { unfit: `${expected}${whereFrom(kind, parse(weights).name, places)}` };
  }
  const unfit = unfitFile(found);
  return unfit === undefined ? { file: found } : { unfit: `expected weights, found ${unfit}` };
}

/** What to do about weights that are not there. */
function whereFrom(kind: string, name: string, places: WeightsPlaces): string {
  const published = publishedUnder(name);
  if (published?.kind === kind) return `; download ${address(published, places)}`;
  if (published !== undefined) return `; these are of a ${published.kind}: "kind": "${published.kind}"`;
  const there = places.weightsFolders.filter(isFolder).flatMap((folder) => readdirSync(folder));
  const known = publishedWeights.filter((one) => one.kind === kind).map((one) => one.name);
  const meant = hint(name, [...there.map((file) => parse(file).name), ...known]);
  return meant === "" ? `; put them there, or give another path` : `.${meant}`;
}

function address(
  { url, licence }: PublishedWeights,
  { weightsFolders, trustWeights }: WeightsPlaces,
): string {
  const trust = url.endsWith(".pt") && !trustWeights ? ", and give --trust-weights for a .pt" : "";
  return `${url} (${licence}) into ${weightsFolders[0]}/${trust}`;
}

function orList(words: string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
