import { renameSync } from "node:fs";
import { join } from "node:path";
import type {
  AnnotationSource,
  BridgeMethods,
  PixelsManifest,
  PreparedDataset,
  SourceFile,
} from "../../contract/generated/types.ts";
import { describeFiles } from "../annotation-files.ts";
import { datasetId } from "../identify-dataset.ts";
import type { FolderOrZip } from "./locate.ts";
import { hashImages, imagesDir, invalidateStaleSizes, prepareImages } from "./prepare-images.ts";
import {
  type ImageSize,
  type LockWaiting,
  pixelsFolder,
  readFacts,
  readWanted,
  wantedFile,
  withPrepareLock,
  writeFacts,
} from "./prepared-folder.ts";
import { deviations } from "./published-counts.ts";

/** The dataset to prepare and the options of the preparation. */
export interface PrepareRequest {
  /** The folder to write. */
  folder: string;
  /** The dataset id if it is already known; by default a hash of the annotations and of the images. */
  id?: string;
  name: string;
  split_by: PreparedDataset["split_by"];
  source: AnnotationSource;
  /** A folder or an archive of images; null for annotations without images. */
  images: FolderOrZip | null;
  sizes: readonly ImageSize[];
  max_pixels: number;
  follow_links: boolean;
  allow_missing: boolean;
  cliprpn_version: string;
}

/** Callbacks of a preparation. */
export interface PrepareContext extends LockWaiting {
  /** Calls Python, which is started on the first call. */
  call<M extends "read_annotations" | "index_dataset">(
    method: M,
    params: BridgeMethods[M]["params"],
  ): Promise<BridgeMethods[M]["result"]>;
  onProgress(done: number, total: number): void;
  /** Called when a different dataset of the same name was replaced; trials on it can no longer be evaluated. */
  onReplaced(previous: PreparedDataset): void;
}

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
  // Written as a new file until this preparation succeeds: if it fails, the previous dataset stays usable.
  const wanted_file = unchanged ? wantedFile(folder) : `${wantedFile(folder)}.new`;
  let wanted = unchanged ? undefinedIfDamaged(() => readWanted(wanted_file)) : undefined;
  if (wanted === undefined) {
    context.onPhase("reading the annotations");
    await context.call("read_annotations", { source: request.source, out_file: wanted_file });
    wanted = readWanted(wanted_file);
  }
  const [manifest] = images === null ? [] : await prepareImages({ ...request, images }, wanted, context);
  const pictures_sha256 = manifest === undefined ? "" : hashImages(manifest);
  if (unchanged && previous.pictures_sha256 === pictures_sha256) {
    invalidateOtherSizes(request);
    return updatePaths(previous, request);
  }
  context.onPhase("writing the index");
  const facts = await writeTables(request, context, files, manifest, pictures_sha256);
  if (!unchanged) renameSync(wanted_file, wantedFile(folder));
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
    (previous.images_dir === null) === (request.images === null)
  );
}

/** Writes the tables. @returns the contents of `dataset.json`, which is not written yet. */
async function writeTables(
  request: PrepareRequest,
  { call }: PrepareContext,
  annotation_files: SourceFile[],
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
  });
  return {
    format_version: 1,
    id: request.id ?? datasetId(source, annotation_files, pictures_sha256),
    name,
    split_by,
    source,
    annotation_files,
    images_dir: images === null ? null : imagesDir(folder, images),
    max_pixels,
    follow_links,
    allow_missing: request.allow_missing,
    pictures_sha256,
    dropped,
    splits,
    split_rule,
    deviations: deviations(name, split_by, splits),
    notes,
    warnings,
    ...(matched === null ? {} : { matched }),
    prepared_at: new Date().toISOString(),
    cliprpn_version: request.cliprpn_version,
  };
}

/** Records where the images are now, if they have moved. */
function updatePaths(facts: PreparedDataset, { folder, images, source }: PrepareRequest): PreparedDataset {
  const images_dir = images === null ? null : imagesDir(folder, images);
  if (facts.images_dir === images_dir) return facts;
  const updated = { ...facts, images_dir, source };
  writeFacts(folder, updated);
  return updated;
}
