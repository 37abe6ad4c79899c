import { join } from "node:path";
import { loadSharp } from "../../base/sharp.ts";
import type { ExplorerImages } from "../../contract/generated/types.ts";
import { thumbnailSize } from "./page-data.ts";

export interface Thumbnails {
  /** A data URI per image, null where it is left out. */
  uris: (string | null)[];
  /** Number of images that cannot be read. */
  numUnreadable: number;
}

/**
 * Small versions of the first images, without metadata such as places, until the next one does not fit.
 *
 * @param ranked positions of the images, the most important first.
 * @param maxBytes of all data URIs together.
 */
export async function makeThumbnails(
  images_dir: string,
  { file, upright }: ExplorerImages,
  ranked: number[],
  maxBytes: number,
): Promise<Thumbnails> {
  const uris: (string | null)[] = file.map(() => null);
  let numUnreadable = 0;
  let left = maxBytes;
  const wanted = ranked.slice(0, maxThumbnails);
  for (let start = 0; start < wanted.length; start += batchSize) {
    const batch = wanted.slice(start, start + batchSize);
    const made = await Promise.all(
      batch.map((image) => thumbnail(join(images_dir, file[image] ?? ""), upright[image] === true)),
    );
    for (const [index, image] of batch.entries()) {
      const uri = made[index] ?? null;
      if (uri === null) numUnreadable += 1;
      else if (uri.length > left) return { uris, numUnreadable };
      else {
        left -= uri.length;
        uris[image] = uri;
      }
    }
  }
  return { uris, numUnreadable };
}

/** Those of RefCOCOg's val; each takes 5 ms of a processor. */
const maxThumbnails = 1300;
const batchSize = 8;

/** A data URI, or null if the file is not a readable image. */
async function thumbnail(file: string, upright: boolean): Promise<string | null> {
  const sharp = await loadSharp();
  try {
    const image = upright ? sharp(file).autoOrient() : sharp(file);
    const webp = await image
      .resize({ width: thumbnailSize, height: thumbnailSize, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "white" })
      .toColourspace("srgb")
      .webp({ quality: 75, effort: 2 })
      .toBuffer();
    return `data:image/webp;base64,${webp.toString("base64")}`;
  } catch {
    return null; // A missing or broken image costs only itself.
  }
}
