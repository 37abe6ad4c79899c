import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { count } from "../../../base/format.ts";
import { CliprpnError } from "../../../contract/errors.ts";
import type { Split } from "../../../contract/generated/types.ts";
import type { ImageRoot, ImageTree } from "./image-tree.ts";

/** A folder of images as the user names it. */
export interface NamedFolder {
  /** Absolute path. */
  folder: string;
  /** The split whose images it has; null for any. */
  split: Split | null;
}

/** The images of one or several folders. Paths are relative to the deepest folder that contains all of them. */
export class FolderTree implements ImageTree {
  readonly name: string;
  /** Absolute path that the paths of the tree are relative to. */
  readonly folder: string;
  readonly roots: ImageRoot[];
  readonly #followLinks: boolean;
  readonly #links = new Set<string>();

  /**
   * @param folders at least one.
   * @param followLinks whether links may lead out of the folders.
   */
  constructor(folders: readonly NamedFolder[], followLinks: boolean) {
    this.folder = commonFolder(folders.map(({ folder }) => folder));
    this.name = folders.length === 1 ? this.folder : folders.map(({ folder }) => folder).join(" and ");
    this.#followLinks = followLinks;
    this.roots = folders.map(({ folder, split }) => {
      const prefix = relative(this.folder, folder).split(sep).join("/");
      return {
        prefix: prefix === "" ? "" : `${prefix}/`,
        split,
        folders: [...new Set([folder, realPath(folder) ?? folder])],
      };
    });
  }

  readonly has = (path: string): boolean => {
    const file = join(this.folder, path);
    if (statOf(file)?.isFile() !== true) return false;
    // With one folder, the reader of the images checks where a link leads.
    return this.roots.length === 1 || this.#followLinks || this.#isInside(file);
  };

  readonly paths = (): string[] => {
    const paths: string[] = [];
    const seen = new Set<string>();
    for (const { prefix, folders } of this.roots) this.#walk(folders[0] ?? "", prefix, 0, paths, seen);
    return [...new Set(paths)].sort();
  };

  readonly leftOut = (): string[] =>
    this.#links.size === 0
      ? []
      : [
          `links to folders are not followed without --follow-links: ${[...this.#links].slice(0, 3).join(", ")}`,
        ];

  #walk(folder: string, prefix: string, depth: number, paths: string[], seen: Set<string>): void {
    if (this.#followLinks) {
      const real = realPath(folder);
      if (real === undefined || seen.has(real)) return; // Links may form a circle.
      seen.add(real);
    }
    for (const entry of entriesOf(folder)) {
      if (entry.name.startsWith(".") || entry.name === "__MACOSX") continue;
      const path = prefix + entry.name;
      const file = join(folder, entry.name);
      if (this.#isFolder(entry, file)) {
        if (depth < MAX_DEPTH) this.#walk(file, `${path}/`, depth + 1, paths, seen);
      } else if (entry.isFile() || this.#isFileLink(entry, file)) paths.push(path);
      if (paths.length > MAX_FILES)
        throw new CliprpnError(
          "bad_input",
          `${this.name}: expected at most ${count(MAX_FILES)} files to look for images in, found more; pass the folder that has the images as --images`,
        );
    }
  }

  #isFolder(entry: Dirent, file: string): boolean {
    if (!entry.isSymbolicLink()) return entry.isDirectory();
    if (statOf(file)?.isDirectory() !== true) return false;
    if (!this.#followLinks) this.#links.add(file);
    return this.#followLinks;
  }

  #isFileLink(entry: Dirent, file: string): boolean {
    if (!entry.isSymbolicLink()) return false;
    if (statOf(file)?.isFile() !== true) return false;
    return this.roots.length === 1 || this.#followLinks || this.#isInside(file);
  }

  /** True if a file's own place, without links, is below one of the folders. */
  #isInside(file: string): boolean {
    const real = realPath(file);
    return (
      real !== undefined &&
      this.roots.some(({ folders }) => folders.some((folder) => real.startsWith(folder + sep)))
    );
  }
}

const MAX_FILES = 5_000_000;
const MAX_DEPTH = 32;

/** The deepest folder that contains all of these. */
export function commonFolder(folders: readonly string[]): string {
  let [common = ""] = folders.map((folder) => resolve(folder));
  while (
    !folders.every(
      (folder) => folder === common || folder.startsWith(common.endsWith(sep) ? common : common + sep),
    )
  )
    common = dirname(common);
  return common;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // Not readable; an image in it is missing.
  }
}

/** Undefined also for names that the file system refuses, such as too long ones, and for links in a circle. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
