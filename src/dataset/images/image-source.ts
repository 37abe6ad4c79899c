import { join } from "node:path";
import type { NamedFolder } from "./find/folder-tree.ts";
import { commonFolder } from "./find/folder-tree.ts";

/** Where the images of a dataset are: one or several folders, or archives that are extracted into the dataset. */
export type ImageSource =
  | { kind: "folders"; folders: readonly NamedFolder[] }
  | { kind: "archives"; archives: readonly string[] };

/** One folder of images. */
export function imageFolder(folder: string): ImageSource {
  return { kind: "folders", folders: [{ folder, split: null }] };
}

/**
 * The folder that the names of the images are relative to.
 *
 * @param dataset the prepared dataset's folder, which receives the images of archives.
 */
export function imagesDir(dataset: string, source: ImageSource): string {
  return source.kind === "archives"
    ? join(dataset, "images")
    : commonFolder(source.folders.map(({ folder }) => folder));
}

/** The folders to record beside `imagesDir`; undefined if that says everything. */
export function recordedFolders(source: ImageSource | null): NamedFolder[] | undefined {
  if (source?.kind !== "folders") return undefined;
  const [first] = source.folders;
  return source.folders.length === 1 && first?.split === null ? undefined : [...source.folders];
}
