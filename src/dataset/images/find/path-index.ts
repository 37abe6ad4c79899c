import { cocoNumber, foldName, splitEnding } from "./written-name.ts";

/** The files of a tree by their names. */
export interface PathIndex {
  paths: ReadonlySet<string>;
  by_name: ReadonlyMap<string, string[]>;
  /** By base name without its ending; only files that end as images do. */
  by_stem: ReadonlyMap<string, string[]>;
  by_coco_number: ReadonlyMap<number, string[]>;
  /** The folded names of the folders that a path lies in, the innermost first. */
  foldersOf(path: string): readonly string[];
}

/** Builds the index once, so that looking up a name takes the same time in any number of files. */
export function indexPaths(paths: readonly string[]): PathIndex {
  const by_name = new Map<string, string[]>();
  const by_stem = new Map<string, string[]>();
  const by_coco_number = new Map<number, string[]>();
  for (const path of paths) {
    const base = path.slice(path.lastIndexOf("/") + 1);
    if (base.startsWith(".")) continue; // Such as macOS's `._a.jpg` beside `a.jpg`.
    const folded = foldName(base);
    add(by_name, folded, path);
    const { stem, ending } = splitEnding(folded);
    if (ending === "") continue;
    add(by_stem, stem, path);
    const number = cocoNumber(folded);
    if (number !== undefined) add(by_coco_number, number, path);
  }
  // A name may have to be compared with thousands of paths.
  const folders = new Map<string, readonly string[]>();
  const foldersOf = (path: string): readonly string[] => {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const list = folder === "" ? [] : foldName(folder).split("/").reverse();
    folders.set(folder, list);
    return list;
  };
  return { paths: new Set(paths), by_name, by_stem, by_coco_number, foldersOf };
}

function add<K>(map: Map<K, string[]>, key: K, path: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [path]);
  else list.push(path);
}
