import type { FoundFile } from "./find-image.ts";
import { cocoNumber, foldName, parseName, splitEnding } from "./written-name.ts";

/**
 * Names that lead to the same file, though they are probably names of different images: `train/1.jpg` and
 * `val/1.jpg` where the folder has one `1.jpg`.
 *
 * @returns a problem for each name.
 */
export function contradictions(files: ReadonlyMap<string, FoundFile>): Map<string, string> {
  const groups = new Map<string, string[]>();
  for (const [name, { path }] of files) {
    const key = parseName(path).parts.join("/");
    const names = groups.get(key) ?? [];
    names.push(name);
    groups.set(key, names);
  }
  const problems = new Map<string, string>();
  for (const [path, names] of groups) {
    if (names.length < 2 || isSameImage(names, path)) continue;
    for (const name of names) {
      const other = names.find((candidate) => candidate !== name) ?? "";
      problems.set(
        name,
        `expected an image of its own, found only ${quote(path)}, to which ${quote(other)} leads, too`,
      );
    }
  }
  return problems;
}

function isSameImage(names: string[], path: string): boolean {
  const isNumbered = cocoNumber(foldName(path.slice(path.lastIndexOf("/") + 1))) !== undefined;
  if (isNumbered && [path, ...names].some((name) => /(^|[/\\\t])coco_/i.test(name))) return true;
  const parsed = names.map((name) => parseName(name).parts.map(foldName));
  const bases = parsed.map((parts) => splitEnding(parts.at(-1) ?? ""));
  const endings = new Set(bases.map(({ ending }) => ending).filter((ending) => ending !== ""));
  if (!isNumbered && (new Set(bases.map(({ stem }) => stem)).size > 1 || endings.size > 1)) return false;
  // One name has all folders; the others have the last ones of them. COCO's releases have the same images; but frames
  // of videos are numbered with as many digits.
  const folders = parsed.map((parts) =>
    parts
      .slice(0, -1)
      .filter((folder) => !isNumbered || !release.test(folder))
      .reverse(),
  );
  const longest = folders.reduce((best, list) => (list.length > best.length ? list : best), []);
  return folders.every((list) => list.every((folder, position) => folder === longest[position]));
}

const release = /^(train|val|test|unlabeled)20\d\d$/;

function quote(text: string): string {
  return JSON.stringify(text.replace(/^\w+\t/, ""));
}
