import type { Split } from "../../../contract/generated/types.ts";
import type { ImageRoot } from "./image-tree.ts";
import type { PathIndex } from "./path-index.ts";
import {
  cocoNumber,
  foldName,
  parseName,
  splitEnding,
  type WrittenName,
  withoutAnnId,
} from "./written-name.ts";

/** How a file's path differs from the name that the annotations give. */
export type Difference =
  | "path"
  | "folder"
  | "Unicode form"
  | "case"
  | "RefCOCO's name of the object"
  | "COCO's number"
  | "no ending"
  | "ending";

/** The file of a name. */
export interface FoundFile {
  /** In the tree. */
  path: string;
  /** How the name differs from the path; undefined if a file has exactly this name, below one of the roots. */
  difference: Difference | undefined;
}

/** The file of a name; several that it could mean; or none. */
export type Match = FoundFile | { candidates: string[]; difference: Difference } | undefined;

/**
 * Finds the file that a name means: first by its path, with fewer and fewer of its leading folders; then by its
 * base name anywhere; then by names that differ in their Unicode form, case, COCO's numbering or ending. The first
 * rule that finds files decides; if it finds several, those whose folders agree best with the name.
 */
export function findImage(
  text: string,
  split: Split | null,
  roots: readonly ImageRoot[],
  index: PathIndex,
): Match {
  const name = parseName(text);
  for (const group of rootsOf(roots, split)) {
    const match = byPath(name, group, index) ?? byName(name, group, index);
    if (match !== undefined) return match;
  }
  return undefined;
}

/** The folders of the split, then those of all splits; all folders if no split is looked for. */
export function rootsOf(roots: readonly ImageRoot[], split: Split | null): ImageRoot[][] {
  if (split === null) return [[...roots]];
  const groups = [split, null].map((wanted) => roots.filter((root) => root.split === wanted));
  return groups.filter(({ length }) => length > 0);
}

function byPath({ text, parts, others }: WrittenName, roots: ImageRoot[], index: PathIndex): Match {
  const { paths } = index;
  const inside = roots.flatMap(({ folders, prefix }) =>
    folders
      .filter((folder) => text.startsWith(`${folder}/`))
      .map((folder) => prefix + text.slice(folder.length + 1)),
  );
  const absolute = inside.find((path) => paths.has(path));
  if (absolute !== undefined) return { path: absolute, difference: "path" };
  for (const form of [parts, ...others])
    for (let start = 0; start < form.length; start += 1) {
      const path = form.slice(start).join("/");
      const candidates = roots.map(({ prefix }) => prefix + path).filter((candidate) => paths.has(candidate));
      if (candidates.length > 0) return only(closest(candidates, form, index), "path");
    }
  return undefined;
}

function byName(name: WrittenName, roots: ImageRoot[], index: PathIndex): Match {
  const isHere = (path: string): boolean => roots.some(({ prefix }) => path.startsWith(prefix));
  for (const parts of [name.parts, ...name.others]) {
    for (const [difference, found] of byBase(parts.at(-1) ?? "", index)) {
      const here = found.filter(
        (path) => isHere(path) && (difference !== "ending" || mayBeConverted(path, parts, roots, index)),
      );
      if (here.length > 0) return only(closest(here, parts, index), difference);
    }
  }
  return undefined;
}

/** False for `masks/a.png`, which is not `images/a.jpg` in another format. */
function mayBeConverted(path: string, parts: string[], roots: ImageRoot[], index: PathIndex): boolean {
  if (parts.length < 2 || foldName(parts.at(-2) ?? "") === index.foldersOf(path)[0]) return true;
  return roots.some(({ prefix }) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"));
}

/** Files by each of the rules for base names, the strictest first. */
function* byBase(base: string, index: PathIndex): Generator<[Difference, string[]]> {
  const folded = foldName(base);
  const same = index.by_name.get(folded) ?? [];
  yield ["folder", same.filter((path) => baseOf(path) === base)];
  yield ["Unicode form", same.filter((path) => baseOf(path).normalize("NFC") === base.normalize("NFC"))];
  yield ["case", same];
  const { stem, ending } = splitEnding(folded);
  const withEnding = index.by_stem.get(stem) ?? [];
  if (ending === "") yield ["no ending", withEnding];
  const own = withoutAnnId(base);
  if (own !== undefined) yield ["RefCOCO's name of the object", index.by_name.get(foldName(own)) ?? []];
  const number = cocoNumber(folded) ?? cocoId(base);
  if (number !== undefined) yield ["COCO's number", index.by_coco_number.get(number) ?? []];
  if (ending !== "") yield ["ending", [...withEnding, ...(index.by_name.get(stem) ?? [])]];
}

/** An image's id in COCO's annotations, as the `9` of `COCO_train2014_000000000009.jpg`. */
function cocoId(base: string): number | undefined {
  return /^[1-9]\d{0,5}$/.test(base) ? Number(base) : undefined;
}

function only(candidates: string[], difference: Difference): Match {
  const [path = ""] = candidates;
  return candidates.length === 1 ? { path, difference } : { candidates, difference };
}

/** The paths that share the most trailing folders with the name. */
function closest(paths: string[], parts: string[], index: PathIndex): string[] {
  if (paths.length === 1) return paths;
  const folders = parts.slice(0, -1).map(foldName).reverse();
  const scores = paths.map((path) => {
    const own = index.foldersOf(path);
    const differing = folders.findIndex((folder, position) => folder !== own[position]);
    return differing === -1 ? folders.length : differing;
  });
  const best = scores.reduce((first, second) => Math.max(first, second), 0);
  return paths.filter((_, position) => scores[position] === best);
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
