import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import type { RefcocoSource } from "../../contract/generated/types.ts";
import { extractFiles, makeUnpackedFolder } from "../images/extract-zip.ts";
import { type LockWaiting, withPrepareLock } from "./prepared-folder.ts";

/** A folder, or a zip archive of its contents. */
export interface FolderOrZip {
  path: string;
  is_archive: boolean;
}

/**
 * Finds the annotations of RefCOCO, RefCOCO+ or RefCOCOg below the user's folder.
 *
 * @throws CliprpnError not_found, with the files that were looked for.
 */
export function locateAnnotations(root: string, dataset: string, split_by: string): FolderOrZip {
  const refs = `refs(${split_by}).p`;
  const folders = ["annotations", dataset, join("data", dataset), join("annotations", dataset), ""].map(
    (name) => join(root, name),
  );
  const folder = folders.find((path) =>
    [refs, "instances.json"].every((name) => existsSync(join(path, name))),
  );
  if (folder !== undefined) return { path: folder, is_archive: false };
  const archive = [`${dataset}.zip`, join("annotations", `${dataset}.zip`), join("data", `${dataset}.zip`)]
    .map((name) => join(root, name))
    .find(isFile);
  if (archive !== undefined) return { path: archive, is_archive: true };
  const otherRefs = folders.flatMap(refsIn).filter((name) => name !== refs);
  throw new CliprpnError(
    "not_found",
    `${root}: expected the annotations of ${dataset}: a folder with instances.json and ${refs}, or ${dataset}.zip; found ${
      otherRefs.length > 0 ? `${[...new Set(otherRefs)].join(", ")} (another --split-by?)` : "neither"
    }. To download them, run \`cliprpn prepare ${dataset} --split-by ${split_by} --root ${root} --download\``,
  );
}

/**
 * Finds COCO's train2014 images below the user's folder.
 *
 * @throws CliprpnError not_found, with the folders and files that were looked for.
 */
export function locateImages(root: string): FolderOrZip {
  const subfolders = [
    "",
    "images",
    "data",
    "coco",
    "mscoco",
    join("images", "mscoco", "images"),
    join("data", "images", "mscoco", "images"),
  ];
  const folders = [
    ...subfolders.map((name) => join(root, name, "train2014")),
    join(root, "images"),
    join(root, "annotations", "images"),
  ];
  const folder = folders.find(hasImages);
  if (folder !== undefined) return { path: folder, is_archive: false };
  const archive = subfolders
    .flatMap((name) => [join(root, name, "train2014.zip"), join(root, name, "images.zip")])
    .find(isFile);
  if (archive !== undefined) return { path: archive, is_archive: true };
  throw new CliprpnError(
    "not_found",
    `${root}: expected COCO's images: a folder train2014/ or images/, or train2014.zip; found none. Pass their folder as --images, or download them with --download`,
  );
}

/**
 * The annotations as a source that can be read. A zip archive is extracted into the prepared dataset's folder first.
 *
 * @throws CliprpnError data_invalid when the archive lacks a file or one cannot be extracted.
 */
export async function annotationSource(
  { path, is_archive }: FolderOrZip,
  split_by: string,
  folder: string,
  waiting: LockWaiting,
): Promise<RefcocoSource> {
  const names = ["instances.json", `refs(${split_by}).p`];
  const out = is_archive ? join(folder, "annotations") : path;
  if (is_archive) {
    const { missing, refused } = await withPrepareLock(folder, waiting, (signal) => {
      makeUnpackedFolder(path, out);
      return extractFiles({
        archive: path,
        wanted: names,
        folder: out,
        max_file_bytes: MAX_ANNOTATION_BYTES,
        signal,
      });
    });
    const [bad] = [...refused, ...missing.map((file_name) => ({ file_name, problem: "not in the archive" }))];
    if (bad !== undefined)
      throw new CliprpnError("data_invalid", `${path}: ${bad.file_name}: ${bad.problem}`);
  }
  const [instances_file = "", refs_file = ""] = names.map((name) => join(out, name));
  return { layout: "refcoco", instances_file, refs_file };
}

/** Ten times the largest file: the instances.json of RefCOCOg. */
const MAX_ANNOTATION_BYTES = 2_000_000_000;

/** A folder or .zip that the user names. @throws CliprpnError not_found. */
export function folderOrZip(path: string, what: string): FolderOrZip {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return { path, is_archive: false };
  if (stat?.isFile() === true && path.endsWith(".zip")) return { path, is_archive: true };
  throw new CliprpnError(
    "not_found",
    `${path}: expected ${what}, a folder or a .zip; found ${stat === undefined ? "nothing" : "another kind of file"}`,
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function refsIn(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder).filter((name) => /^refs\(.+\)\.p$/.test(name));
}

/** True if image files lie directly in a folder. */
function hasImages(folder: string): boolean {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  return readdirSync(folder, { withFileTypes: true }).some(
    (entry) => !entry.isDirectory() && /\.(jpe?g|png|webp|gif|tiff?|avif)$/i.test(entry.name),
  );
}
