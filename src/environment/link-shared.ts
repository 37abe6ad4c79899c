import { existsSync, lstatSync, mkdirSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { namesIn } from "../base/files.ts";
import type { CacheFolders } from "./cache-folders.ts";

/**
 * Makes links in the own cache to what the shared one has complete: prepared datasets, the demo, features and trained detectors.
 * Whatever is added to them, such as images at another size, then goes into the own cache. Databases are no part of this: Python
 * reads both of them.
 *
 * Links whose target is gone are removed, so that the work is done again.
 */
export function linkShared({ own, shared }: CacheFolders): void {
  for (const { folder, mark, divides } of stores) {
    removeDangling(join(own, folder), divides);
    for (const name of shared === undefined ? [] : namesIn(join(shared, folder))) {
      const source = join(shared ?? "", folder, name);
      if (!existsSync(join(source, mark)) || isThere(join(own, folder, name))) continue;
      if (divides) linkFiles(source, join(own, folder, name));
      else link(source, join(own, folder, name));
    }
  }
}

/** The folders of stores, the file that completes a store, and whether files may be added to a complete one. */
const stores = [
  { folder: "demo", mark: "demo.json", divides: false },
  { folder: "prepared", mark: "dataset.json", divides: true },
  { folder: "features", mark: "manifest.json", divides: false },
  { folder: "detectors", mark: "detector.json", divides: false },
];

/** A new folder with links to the files of a dataset, and to its complete sets of pixels. */
function linkFiles(source: string, target: string): void {
  for (const name of namesIn(join(source, "pixels")))
    if (existsSync(join(source, "pixels", name, "manifest.json")))
      link(join(source, "pixels", name), join(target, "pixels", name));
  const files = namesIn(source).filter((name) => lstatSync(join(source, name)).isFile());
  // The file that completes the dataset comes last.
  const last = (name: string): number => Number(name === "dataset.json");
  for (const name of files.sort((a, b) => last(a) - last(b))) link(join(source, name), join(target, name));
}

function link(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  try {
    symlinkSync(source, target);
  } catch (error) {
    if (!isThere(target)) throw error; // Another process was faster.
  }
}

function removeDangling(folder: string, divides: boolean): void {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (isLink(path) && !existsSync(path)) unlinkSync(path);
    else if (divides && !isLink(path)) {
      removeDangling(path, false);
      removeDangling(join(path, "pixels"), false);
    }
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
