import { join } from "node:path";
import type {
  PixelsManifest,
  PreparedDataset,
  SourceFile,
  WantedImage,
} from "../../contract/generated/types.ts";
import { describeFiles } from "../annotation-files.ts";
import { datasetId } from "../identify-dataset.ts";
import { imagesDir, recordedFolders } from "../images/image-source.ts";
import { type ImageList, keepImages, listImages, splitsOf } from "./list-images.ts";
import type { PrepareContext, PrepareRequest } from "./preparation.ts";
import { hashImages, invalidateStaleSizes, prepareImages, skippedLines } from "./prepare-images.ts";
import { pixelsFolder, readFacts, withPrepareLock, writeFacts } from "./prepared-folder.ts";
import { deviations } from "./published-counts.ts";
import { describeRotated } from "./rotated-images.ts";

/**
 * Prepares a dataset, or the missing parts of it. `dataset.json` is written last: a process killed at any byte leaves a complete
 * dataset or none, and the same call resumes. If nothing has changed, only file sizes and times are checked.
 *
 * @throws CliprpnError data_invalid with the problems of annotations or images; no_space.
 */
export async function prepareDataset(
  request: PrepareRequest,
  context: PrepareContext,
): Promise<PreparedDataset> {
  return withPrepareLock(request.folder, context, (signal) => prepareLocked(request, { ...context, signal }));
}

/** `prepareDataset` while holding the lock of the folder. */
async function prepareLocked(request: PrepareRequest, context: PrepareContext): Promise<PreparedDataset> {
  const { folder, images } = request;
  const previous = undefinedIfDamaged(() => readFacts(folder));
  const files = await describeFiles(request.source, previous?.annotation_files ?? []);
  const unchanged = previous !== undefined && givesSameTables(previous, request, files);
  const list = await listImages(request, unchanged, context);
  const { wanted } = list;
  const [manifest] = images === null ? [] : await prepareImages({ ...request, images }, wanted, context);
  const pictures_sha256 = manifest === undefined ? "" : hashImages(manifest);
  if (unchanged && previous.pictures_sha256 === pictures_sha256) {
    keepImages(folder, list);
    invalidateOtherSizes(request);
    return updatePaths(previous, request, skippedOf(wanted, manifest));
  }
  context.onPhase("writing the index");
  const facts = await writeTables(request, context, files, list, manifest, pictures_sha256);
  keepImages(folder, list);
  invalidateOtherSizes(request);
  writeFacts(folder, facts);
  if (previous !== undefined && previous.id !== facts.id) context.onReplaced(previous);
  return facts;
}

/** A damaged file counts as missing, so that preparing again replaces it. */
function undefinedIfDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function invalidateOtherSizes(request: PrepareRequest): void {
  const { folder, sizes, images } = request;
  if (images !== null) invalidateStaleSizes(folder, sizes, imagesDir(folder, images), request);
}

/** True if the existing tables are the ones that these annotations would give. */
function givesSameTables(previous: PreparedDataset, request: PrepareRequest, files: SourceFile[]): boolean {
  const hashes = (list: readonly SourceFile[]): string => list.map(({ sha256 }) => sha256).join();
  return (
    hashes(previous.annotation_files) === hashes(files) &&
    datasetId(previous.source, []) === datasetId(request.source, []) &&
    previous.split_by === request.split_by &&
    previous.name === request.name &&
    previous.max_pixels === request.max_pixels &&
    previous.follow_links === request.follow_links &&
    previous.allow_missing === request.allow_missing &&
    (previous.images_dir === null) === (request.images === null) &&
    splitsOf(previous.image_folders ?? undefined).join() === splitsOf(recordedFolders(request.images)).join()
  );
}

/** Writes the tables. @returns the contents of `dataset.json`, which is not written yet. */
async function writeTables(
  request: PrepareRequest,
  { call }: PrepareContext,
  annotation_files: SourceFile[],
  { wanted, names_file, notes: lookUpNotes }: ImageList,
  manifest: PixelsManifest | undefined,
  pictures_sha256: string,
): Promise<PreparedDataset> {
  const { folder, source, name, split_by, images, max_pixels, follow_links } = request;
  const [size] = request.sizes;
  const pixels_manifest =
    manifest === undefined || size === undefined ? null : join(pixelsFolder(folder, size), "manifest.json");
  const { splits, dropped, split_rule, notes, warnings, matched } = await call("index_dataset", {
    source,
    pixels_manifest,
    folder,
    ...(names_file === undefined ? {} : { image_names_file: names_file }),
  });
  const image_folders = recordedFolders(images);
  const rotated =
    manifest === undefined ? { notes: [], warnings: [] } : describeRotated(source, wanted, manifest);
  return {
    format_version: 1,
    id: request.id ?? datasetId(source, annotation_files, pictures_sha256),
    name,
    split_by,
    source,
    annotation_files,
    images_dir: images === null ? null : imagesDir(folder, images),
    ...(image_folders === undefined ? {} : { image_folders }),
    max_pixels,
    follow_links,
    allow_missing: request.allow_missing,
    pictures_sha256,
    dropped,
    ...skippedOf(wanted, manifest),
    splits,
    split_rule,
    deviations: deviations(name, split_by, splits),
    notes: [...lookUpNotes, ...rotated.notes, ...notes],
    warnings: [...rotated.warnings, ...warnings],
    ...(matched === null ? {} : { matched }),
    ...(request.joint === undefined ? {} : { joint: request.joint }),
    prepared_at: new Date().toISOString(),
    cliprpn_version: request.cliprpn_version,
  };
}

function skippedOf(
  wanted: readonly WantedImage[],
  manifest: PixelsManifest | undefined,
): Pick<PreparedDataset, "skipped"> {
  const skipped = manifest === undefined ? [] : skippedLines(wanted, manifest);
  return skipped.length === 0 ? {} : { skipped };
}

/** Records where the images are now, if they have moved, and what a joint training set was made from. */
function updatePaths(
  facts: PreparedDataset,
  { folder, images, source, joint }: PrepareRequest,
  skipped: Pick<PreparedDataset, "skipped">,
): PreparedDataset {
  const images_dir = images === null ? null : imagesDir(folder, images);
  const image_folders = recordedFolders(images);
  const { image_folders: _, skipped: __, ...rest } = facts;
  if (
    facts.images_dir === images_dir &&
    isEqual(facts.image_folders ?? undefined, image_folders) &&
    isEqual(facts.joint ?? undefined, joint) &&
    isEqual(facts.skipped ?? undefined, skipped.skipped)
  )
    return facts;
  const folders = image_folders === undefined ? {} : { image_folders };
  const made = joint === undefined ? {} : { joint };
  const updated = { ...rest, images_dir, ...folders, ...skipped, source, ...made };
  writeFacts(folder, updated);
  return updated;
}

function isEqual(first: unknown, second: unknown): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}
