import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import type { RefcocoSource, Split } from "../../contract/generated/types.ts";
import { archiveKind } from "../images/archive-tree.ts";
import { extractFiles } from "../images/extract-zip.ts";
import type { NamedFolder } from "../images/find/folder-tree.ts";
import { type ImageSource, imageFolder } from "../images/image-source.ts";
import { makeUnpackedFolder } from "../images/unpacked-folder.ts";
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
export function locateImages(root: string): ImageSource {
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
    ...subfolders.map((name) => join(root, name, "train2017")),
    join(root, "images"),
    join(root, "annotations", "images"),
  ];
  const folder = folders.find(hasImages);
  if (folder !== undefined) return imageFolder(folder);
  const archive = subfolders
    .flatMap((name) => ["train2014.zip", "train2017.zip", "images.zip"].map((file) => join(root, name, file)))
    .find(isFile);
  if (archive !== undefined) return { kind: "archives", archives: [archive] };
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
      makeUnpackedFolder([path], out);
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

/**
 * The images that the user names: one or several folders, each perhaps as `SPLIT=FOLDER`, or archives.
 *
 * @throws CliprpnError not_found; bad_input for a folder beside an archive.
 */
export function namedImages(values: readonly string[], cwd: string): ImageSource {
  const places = values.map((value) => namedPlace(value, cwd));
  const named = [...new Map(places.map((place) => [`${place.split} ${place.folder}`, place])).values()];
  const archives = named.filter(({ folder }) => isFile(folder));
  for (const { folder } of archives) archiveKind(folder);
  if (archives.length === 0) return { kind: "folders", folders: named };
  const [first] = archives;
  if (archives.length < named.length || archives.some(({ split }) => split !== null))
    throw new CliprpnError(
      "bad_input",
      `--images: expected folders, or archives without a split, found both: ${values.join(" ")}; unpack ${first?.folder} and pass its folder`,
    );
  return { kind: "archives", archives: archives.map(({ folder }) => folder) };
}

/** A folder or archive, and the split before it. A path that exists is taken as it is. */
function namedPlace(value: string, cwd: string): NamedFolder {
  const [before = "", after] = value.split(/=(.*)/s);
  const split = existsSync(resolve(cwd, value)) ? undefined : splitNames[before.toLowerCase()];
  const folder = resolve(cwd, split === undefined || after === undefined ? value : after);
  if (existsSync(folder)) return { folder, split: split ?? null };
  throw new CliprpnError(
    "not_found",
    `--images ${value}: expected a folder, .zip, .tar or .tar.gz with the images, or SPLIT=FOLDER with one of train, val and test; found nothing at ${folder}`,
  );
}

const splitNames: Record<string, Split> = {
  train: "train",
  training: "train",
  val: "val",
  valid: "val",
  validation: "val",
  test: "test",
  testa: "testA",
  testb: "testB",
};

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
