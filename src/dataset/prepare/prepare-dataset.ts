import { createHash } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../base/lock.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type {
  AnnotationSource,
  BridgeMethods,
  PixelsManifest,
  PreparedDataset,
  PreparedImage,
  SourceFile,
  WantedImage,
} from "../../contract/generated/types.ts";
import { preparePixels } from "../images/prepare-pixels.ts";
import { imagesDir, missingOf, unpack } from "./image-files.ts";
import type { Place } from "./locate.ts";
import { dropStaleSizes } from "./other-sizes.ts";
import {
  type ImageSize,
  pixelsFolder,
  readFacts,
  readWanted,
  wantedFile,
  writeFacts,
} from "./prepared-folder.ts";
import { refuse } from "./problems.ts";
import { deviations } from "./published-counts.ts";
import { datasetId, describeFiles } from "./source-files.ts";

/** What is to be prepared, and how strictly. */
export interface PrepareRequest {
  /** Where the prepared data set goes. */
  folder: string;
  /** Its id where that is settled already; by default a hash of the annotations and of the images. */
  id?: string;
  name: string;
  split_by: PreparedDataset["split_by"];
  source: AnnotationSource;
  /** A folder, or an archive of images that are taken out of it; null for annotations without images. */
  images: Place | null;
  sizes: readonly ImageSize[];
  max_pixels: number;
  follow_links: boolean;
  allow_missing: boolean;
  cliprpn_version: string;
}

/** What preparing needs of the world. */
export interface PrepareContext {
  /** Asks Python; what starts it starts it only when it is needed. */
  call<M extends "read_annotations" | "index_dataset">(
    method: M,
    params: BridgeMethods[M]["params"],
  ): Promise<BridgeMethods[M]["result"]>;
  onPhase(text: string): void;
  onProgress(done: number, total: number): void;
  /** Another data set was there, whose trials need it. */
  onReplaced(known: PreparedDataset): void;
  signal?: AbortSignal;
}

/**
 * Makes a prepared data set, or what is missing of it; `dataset.json` comes last, so that a kill at any byte leaves none or a
 * whole one, and the same call goes on. A finished one whose sources have not changed costs a look at its files.
 *
 * @throws CliprpnError data_invalid naming what is wrong with annotations or images; no_space.
 */
export async function prepareDataset(
  request: PrepareRequest,
  context: PrepareContext,
): Promise<PreparedDataset> {
  return inFolder(request.folder, context, (signal) => prepareHeld(request, { ...context, signal }));
}

/** Does something in a data set's folder that one process at a time may do; others wait. */
export function inFolder<T>(
  folder: string,
  { signal, onPhase }: Pick<PrepareContext, "signal" | "onPhase">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const waiting = {
    signal,
    onWait: () => onPhase("another process prepares this data set; waiting until it is done"),
    lost: () =>
      new CliprpnError("locked", `${folder}: another process took it over; run the same command again`),
  };
  return withLock(join(folder, "prepare"), waiting, work);
}

/** As `prepareDataset`, the folder being ours. */
async function prepareHeld(request: PrepareRequest, context: PrepareContext): Promise<PreparedDataset> {
  const { folder } = request;
  const known = ifWhole(() => readFacts(folder));
  const files = await describeFiles(request.source, known?.annotation_files ?? []);
  const same = known !== undefined && saysTheSame(known, request, files);
  // Beside what a finished set is made of, until this one is: where it fails, the other's command still goes on.
  const wanted_file = same ? wantedFile(folder) : `${wantedFile(folder)}.new`;
  let wanted = same ? ifWhole(() => readWanted(wanted_file)) : undefined;
  if (wanted === undefined) {
    context.onPhase("reading the annotations");
    await context.call("read_annotations", { source: request.source, out_file: wanted_file });
    wanted = readWanted(wanted_file);
  }
  const manifests = await prepareSizes(request, wanted, context);
  const [first] = manifests;
  const pictures_sha256 = first === undefined ? "" : imagesHash(first);
  if (same && known.pictures_sha256 === pictures_sha256) {
    dropOtherSizes(request);
    return unmoved(known, request);
  }
  context.onPhase("writing the index");
  const facts = await index(request, context, files, first, pictures_sha256);
  if (!same) renameSync(wanted_file, wantedFile(folder));
  dropOtherSizes(request);
  writeFacts(folder, facts);
  if (known !== undefined && known.id !== facts.id) context.onReplaced(known);
  return facts;
}

/** A damaged file is as good as none: preparing again mends it. */
function ifWhole<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function dropOtherSizes(request: PrepareRequest): void {
  const { folder, sizes, images } = request;
  if (images !== null) dropStaleSizes(folder, sizes, imagesDir(folder, images), request);
}

/** Whether the tables of the folder are what these annotations would give. */
function saysTheSame(known: PreparedDataset, request: PrepareRequest, files: SourceFile[]): boolean {
  const hashes = (list: readonly SourceFile[]): string => list.map(({ sha256 }) => sha256).join();
  return (
    hashes(known.annotation_files) === hashes(files) &&
    datasetId(known.source, []) === datasetId(request.source, []) &&
    known.split_by === request.split_by &&
    known.name === request.name &&
    known.max_pixels === request.max_pixels &&
    known.follow_links === request.follow_links &&
    known.allow_missing === request.allow_missing &&
    (known.images_dir === null) === (request.images === null)
  );
}

/** The images at every size that is asked for; none for annotations without images. */
async function prepareSizes(
  request: PrepareRequest,
  wanted: WantedImage[],
  context: PrepareContext,
): Promise<PixelsManifest[]> {
  const { folder, images, max_pixels, follow_links } = request;
  if (images === null) return [];
  const images_dir = imagesDir(folder, images);
  const refused = images.is_archive ? await unpack(images.path, wanted, images_dir, context) : [];
  // Minutes of decoding are not spent before what is missing is told.
  if (!request.allow_missing) refuse(request, images_dir, missingOf(wanted, images_dir, refused));
  const manifests: PixelsManifest[] = [];
  for (const size of request.sizes) {
    context.onPhase(`preparing the images, ${size.resize} to ${size.image_size_px} px`);
    const manifest = await preparePixels({
      images_dir,
      wanted,
      folder: pixelsFolder(folder, size),
      ...size,
      max_pixels,
      follow_links,
      onProgress: context.onProgress,
      signal: context.signal,
    });
    const bad = imagesOf(manifest).filter(({ problem }) => problem !== null);
    refuse(request, images_dir, bad);
    manifests.push(manifest);
  }
  return manifests;
}

/** Writes the tables. @returns the facts, not written yet. */
async function index(
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
  const { splits, dropped, split_rule, notes } = await call("index_dataset", {
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
    prepared_at: new Date().toISOString(),
    cliprpn_version: request.cliprpn_version,
  };
}

/** The facts, their sources' places brought up to date. */
function unmoved(known: PreparedDataset, request: PrepareRequest): PreparedDataset {
  const images_dir = request.images === null ? null : imagesDir(request.folder, request.images);
  if (known.images_dir === images_dir) return known;
  const moved = { ...known, images_dir, source: request.source };
  writeFacts(request.folder, moved);
  return moved;
}

function imagesOf({ shards }: PixelsManifest): PreparedImage[] {
  return shards.flatMap(({ pictures }) => pictures);
}

/** Of the images, whatever size they are brought to; what the tables take from them is part of it. */
export function imagesHash(manifest: PixelsManifest): string {
  const hash = createHash("sha256");
  for (const { file_name, bytes, width, height, upright, problem } of imagesOf(manifest))
    hash.update(JSON.stringify([file_name, bytes, width, height, upright, problem !== null]));
  return hash.digest("hex");
}
