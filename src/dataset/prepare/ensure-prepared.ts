import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import { type DatasetIdentity, refcocoSource } from "../identify-dataset.ts";
import { DEFAULT_MAX_PIXELS } from "../images/decode.ts";
import { imageFolder } from "../images/image-source.ts";
import { frameRule } from "../images/orientation.ts";
import { preparePixels } from "../images/prepare-pixels.ts";
import type { PrepareContext } from "./preparation.ts";
import { prepareDataset } from "./prepare-dataset.ts";
import { hashImages } from "./prepare-images.ts";
import {
  type ImageSize,
  pixelsFolder,
  readFacts,
  readWanted,
  wantedFile,
  withPrepareLock,
} from "./prepared-folder.ts";

/**
 * Makes a dataset available at these sizes. A folder in RefCOCOg's layout is prepared in the cache and checked for changes every
 * time; a dataset made by `cliprpn prepare` only gets the sizes that it lacks.
 *
 * @throws CliprpnError data_invalid, no_space.
 */
export async function ensurePrepared(
  dataset: DatasetIdentity,
  sizes: readonly ImageSize[],
  cliprpn_version: string,
  context: PrepareContext,
): Promise<void> {
  const { root, raw, id, name, split_by } = dataset;
  if (raw === undefined) return addSizes(root, sizes, context);
  await prepareDataset(
    {
      folder: root,
      id,
      name,
      split_by,
      source: refcocoSource(raw, split_by),
      images: imageFolder(join(raw, "images")),
      sizes,
      max_pixels: DEFAULT_MAX_PIXELS,
      follow_links: false,
      allow_missing: false,
      cliprpn_version,
    },
    context,
  );
}

async function addSizes(folder: string, sizes: readonly ImageSize[], context: PrepareContext): Promise<void> {
  if (sizes.every((size) => hasSize(folder, size))) return; // The folder may be read-only.
  await withPrepareLock(folder, context, (signal) => addMissing(folder, sizes, { ...context, signal }));
}

async function addMissing(
  folder: string,
  sizes: readonly ImageSize[],
  { onPhase, onProgress, signal }: PrepareContext,
): Promise<void> {
  for (const size of sizes) {
    if (hasSize(folder, size)) continue;
    const pixels = pixelsFolder(folder, size);
    const { images_dir, max_pixels, follow_links, pictures_sha256, source } = readFacts(folder);
    if (images_dir === null)
      throw new CliprpnError(
        "data_invalid",
        `${folder}: expected a dataset with images, found one prepared without images`,
      );
    if (!existsSync(images_dir))
      throw new CliprpnError(
        "data_invalid",
        `${images_dir}: expected the images, to prepare them at another size (${size.resize} to ${size.image_size_px} px); found no such folder. If they have moved, prepare the dataset again with --images DIR`,
      );
    onPhase(`preparing the images, ${size.resize} to ${size.image_size_px} px`);
    const manifest = await preparePixels({
      images_dir,
      wanted: readWanted(wantedFile(folder)),
      folder: pixels,
      ...size,
      max_pixels,
      follow_links,
      frame: frameRule(source),
      onProgress,
      signal,
    });
    if (hashImages(manifest) !== pictures_sha256)
      throw new CliprpnError(
        "data_invalid",
        `${images_dir}: the images have changed since the dataset was prepared; prepare it again`,
      );
  }
}

function hasSize(folder: string, size: ImageSize): boolean {
  return existsSync(join(pixelsFolder(folder, size), "manifest.json"));
}
