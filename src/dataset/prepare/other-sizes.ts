import { rmSync } from "node:fs";
import { join } from "node:path";
import { pixelsFresh } from "../images/prepare-pixels.ts";
import type { ReadLimits } from "../images/read-image.ts";
import { type ImageSize, pixelsFolder, preparedSizes, readWanted, wantedFile } from "./prepared-folder.ts";

/**
 * Of sizes that were prepared before and are not among those just `made`: one of other images than now counts as begun, so that
 * what asks for it goes on with it, and nothing trains on it as it is.
 */
export function dropStaleSizes(
  folder: string,
  made: readonly ImageSize[],
  images_dir: string,
  { max_pixels, follow_links }: ReadLimits,
): void {
  const wanted = readWanted(wantedFile(folder));
  for (const size of preparedSizes(folder)) {
    if (made.some((each) => pixelsFolder(folder, each) === pixelsFolder(folder, size))) continue;
    const pixels = pixelsFolder(folder, size);
    if (!pixelsFresh({ images_dir, wanted, folder: pixels, ...size, max_pixels, follow_links }))
      rmSync(join(pixels, "manifest.json"), { force: true });
  }
}
