import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";

/** A folder, or an archive that holds what it would. */
export interface Place {
  path: string;
  is_archive: boolean;
}

/**
 * Where the annotations of one of the family's data sets are, below a folder that a person has filled.
 *
 * @throws CliprpnError not_found, telling what was looked for.
 */
export function locateAnnotations(root: string, dataset: string, split_by: string): Place {
  const refs = `refs(${split_by}).p`;
  const folders = ["annotations", dataset, join("data", dataset), join("annotations", dataset), ""].map(
    (name) => join(root, name),
  );
  const folder = folders.find((each) =>
    [refs, "instances.json"].every((name) => existsSync(join(each, name))),
  );
  if (folder !== undefined) return { path: folder, is_archive: false };
  const archive = [`${dataset}.zip`, join("annotations", `${dataset}.zip`), join("data", `${dataset}.zip`)]
    .map((name) => join(root, name))
    .find(isFile);
  if (archive !== undefined) return { path: archive, is_archive: true };
  const other = folders.flatMap(refsIn).filter((name) => name !== refs);
  throw new CliprpnError(
    "not_found",
    `${root}: expected the annotations of ${dataset}: a folder with instances.json and ${refs}, or ${dataset}.zip; found ${
      other.length > 0 ? `${[...new Set(other)].join(", ")} (another --split-by?)` : "neither"
    }. \`cliprpn prepare ${dataset} --split-by ${split_by} --root ${root} --download\` fetches them`,
  );
}

/**
 * Where COCO's train2014 images are.
 *
 * @throws CliprpnError not_found, telling what was looked for.
 */
export function locateImages(root: string): Place {
  const below = [
    "",
    "images",
    "data",
    "coco",
    "mscoco",
    join("images", "mscoco", "images"),
    join("data", "images", "mscoco", "images"),
  ];
  const folders = [
    ...below.map((name) => join(root, name, "train2014")),
    join(root, "images"),
    join(root, "annotations", "images"),
  ];
  const folder = folders.find(hasImages);
  if (folder !== undefined) return { path: folder, is_archive: false };
  const archive = below
    .flatMap((name) => [join(root, name, "train2014.zip"), join(root, name, "images.zip")])
    .find(isFile);
  if (archive !== undefined) return { path: archive, is_archive: true };
  throw new CliprpnError(
    "not_found",
    `${root}: expected COCO's images: a folder train2014/ or images/, or train2014.zip; found none. Name them by --images, or fetch them by --download`,
  );
}

/** What a person named: a folder, or a .zip. @throws CliprpnError not_found. */
export function namedPlace(path: string, what: string): Place {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return { path, is_archive: false };
  if (stat?.isFile() === true && path.endsWith(".zip")) return { path, is_archive: true };
  throw new CliprpnError(
    "not_found",
    `${path}: expected ${what}, a folder or a .zip; found ${stat === undefined ? "nothing" : "something else"}`,
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function refsIn(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder).filter((name) => /^refs\(.+\)\.p$/.test(name));
}

/** Whether a folder has files in it, not folders alone. */
function hasImages(folder: string): boolean {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  return readdirSync(folder, { withFileTypes: true }).some(
    (entry) => !entry.isDirectory() && /\.(jpe?g|png|webp|gif|tiff?|avif)$/i.test(entry.name),
  );
}
