import type { Split, WantedImage } from "../../../contract/generated/types.ts";
import { type FoundFile, findImage, type Match, rootsOf } from "./find-image.ts";
import type { ImageTree } from "./image-tree.ts";
import { indexPaths, type PathIndex } from "./path-index.ts";
import { ambiguityProblem, missingProblem } from "./problems.ts";
import { contradictions } from "./shared-files.ts";
import { isInside, parseName } from "./written-name.ts";

/** Where the images of a dataset are. */
export interface FoundImages {
  files: Map<string, FoundFile>;
  /** Why a name has no file: expected and found. */
  problems: Map<string, string>;
}

/** Problems with a hint; more are not shown. */
const MAX_HINTS = 20;

/**
 * Looks up every name that the annotations give. Only if one is not the path of a file, all paths of the tree are
 * listed, once.
 */
export function findImages(wanted: readonly Pick<WantedImage, "file_name">[], tree: ImageTree): FoundImages {
  const files = new Map<string, FoundFile>();
  const problems = new Map<string, string>();
  let index: PathIndex | undefined;
  for (const { file_name } of wanted) {
    if (files.has(file_name) || problems.has(file_name)) continue;
    const { text, split } = splitTag(file_name);
    const exact = exactPath(text, split, tree);
    if (exact === undefined) index ??= indexPaths(tree.paths());
    const match: Match =
      exact === undefined && index !== undefined ? findImage(text, split, tree.roots, index) : exact;
    if (match === undefined)
      problems.set(file_name, missingProblem(text, tree, problems.size < MAX_HINTS ? index : undefined));
    else if ("path" in match) files.set(file_name, match);
    else problems.set(file_name, ambiguityProblem(match.candidates, tree));
  }
  for (const [name, problem] of contradictions(files)) {
    problems.set(name, problem);
    files.delete(name);
  }
  return { files, problems };
}

/** A file with exactly this name, below the split's own folder if there is one. */
function exactPath(text: string, split: Split | null, { roots, has }: ImageTree): Match {
  if (!isInside(text)) return undefined;
  for (const group of rootsOf(roots, split)) {
    const candidates = group.map(({ prefix }) => prefix + text).filter(has);
    const [path] = candidates;
    if (path !== undefined)
      return candidates.length === 1 ? { path, difference: undefined } : { candidates, difference: "path" };
  }
  return undefined;
}

/** A name that is looked up in a split's own folder is tagged with the split and a tab, which no file name has. */
export function splitTag(file_name: string): { text: string; split: Split | null } {
  for (const split of ["train", "val", "test", "testA", "testB"] as const)
    if (file_name.startsWith(`${split}\t`)) return { text: file_name.slice(split.length + 1), split };
  return { text: file_name, split: null };
}

/** A path without `.` and doubled separators: names that lead to the same file have the same one. */
export function cleanPath(path: string): string {
  return parseName(path).parts.join("/");
}
