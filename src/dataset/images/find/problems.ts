import { distance } from "fastest-levenshtein";
import { count } from "../../../base/format.ts";
import type { ImageTree } from "./image-tree.ts";
import type { PathIndex } from "./path-index.ts";
import { foldName, parseName, splitEnding } from "./written-name.ts";

const MAX_SHOWN = 3;

/** Several files that a name could mean. */
export function ambiguityProblem(candidates: string[], tree: ImageTree): string {
  const shown = [...candidates]
    .sort()
    .slice(0, MAX_SHOWN)
    .map((path) => JSON.stringify(path));
  const more = candidates.length > MAX_SHOWN ? ` and ${count(candidates.length - MAX_SHOWN)} more` : "";
  return `expected one file of this name in ${tree.name}, found ${count(candidates.length)}: ${shown.join(", ")}${more}; give the folder in the annotations, or pass --images for the folder that is meant`;
}

/** No file, with the nearest name that there is. */
export function missingProblem(text: string, tree: ImageTree, index: PathIndex | undefined): string {
  const { is_url, parts } = parseName(text);
  const near = index === undefined ? undefined : nearest(parts.at(-1) ?? "", index);
  const hint = near === undefined ? "" : `; the nearest name there is ${JSON.stringify(near)}`;
  const left = tree.leftOut();
  const leftOut = left.length === 0 ? "" : `; ${left.join("; ")}`;
  if (is_url)
    return `expected a file, found a URL; URLs are not downloaded: download the images, each under the last part of its URL, and pass their folder as --images${hint}${leftOut}`;
  return `expected an image in ${tree.name}, found no file of this name${hint}${leftOut}`;
}

/** Names compared for each missing image, so that the hints of many take seconds at most. */
const MAX_COMPARED = 20_000;
const LONGEST_COMPARED = 100;

/** The path whose name differs by its folder, its ending or a few letters only. */
function nearest(base: string, index: PathIndex): string | undefined {
  const { stem } = splitEnding(foldName(base));
  const [same] = index.by_stem.get(stem) ?? [];
  if (same !== undefined) return same;
  if (stem.length < 3 || stem.length > LONGEST_COMPARED) return undefined;
  let best: { path: string; cost: number } | undefined;
  let compared = 0;
  for (const [other, [path = ""]] of index.by_stem) {
    compared += 1;
    if (compared > MAX_COMPARED) break;
    if (Math.abs(other.length - stem.length) > 3 || other.length > LONGEST_COMPARED) continue;
    // Numbered names differ by a digit or two from thousands of others.
    if (other.replace(/\D/g, "") !== stem.replace(/\D/g, "")) continue;
    const cost = distance(stem, other);
    if (cost <= Math.max(1, Math.floor(stem.length / 4)) && cost < (best?.cost ?? Number.POSITIVE_INFINITY))
      best = { path, cost };
  }
  return best?.path;
}
