import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import { type DatasetIdentity, refcocoSource } from "../identify-dataset.ts";
import { DEFAULT_MAX_PIXELS } from "../images/decode.ts";
import { preparePixels } from "../images/prepare-pixels.ts";
import { imagesHash, inFolder, type PrepareContext, prepareDataset } from "./prepare-dataset.ts";
import { type ImageSize, pixelsFolder, readFacts, readWanted, wantedFile } from "./prepared-folder.ts";

/**
 * Has the data set ready at these sizes: a folder in RefCOCOg's own layout is prepared in the cache, and looked at again every
 * time; a set that a person prepared is taken as it is, and gets the sizes that it lacks.
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
      images: { path: join(raw, "images"), is_archive: false },
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
  if (sizes.every((size) => hasSize(folder, size))) return; // A folder that cannot be written to will do.
  await inFolder(folder, context, (signal) => addMissing(folder, sizes, { ...context, signal }));
}

async function addMissing(
  folder: string,
  sizes: readonly ImageSize[],
  { onPhase, onProgress, signal }: PrepareContext,
): Promise<void> {
  for (const size of sizes) {
    if (hasSize(folder, size)) continue;
    const pixels = pixelsFolder(folder, size);
    const { images_dir, max_pixels, follow_links, pictures_sha256 } = readFacts(folder);
    if (images_dir === null)
      throw new CliprpnError("data_invalid", `${folder}: it was prepared without images`);
    if (!existsSync(images_dir))
      throw new CliprpnError(
        "data_invalid",
        `${images_dir}: expected the images, to prepare them ${size.resize} to ${size.image_size_px} px; found none. Have they moved? Prepare the data set again with --images DIR`,
      );
    onPhase(`preparing the images, ${size.resize} to ${size.image_size_px} px`);
    const manifest = await preparePixels({
      images_dir,
      wanted: readWanted(wantedFile(folder)),
      folder: pixels,
      ...size,
      max_pixels,
      follow_links,
      onProgress,
      signal,
    });
    if (imagesHash(manifest) !== pictures_sha256)
      throw new CliprpnError(
        "data_invalid",
        `${images_dir}: the images have changed since the data set was prepared; prepare it again`,
      );
  }
}

function hasSize(folder: string, size: ImageSize): boolean {
  return existsSync(join(pixelsFolder(folder, size), "manifest.json"));
}
