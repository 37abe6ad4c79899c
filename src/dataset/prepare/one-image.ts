import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { DEFAULT_MAX_PIXELS } from "../images/decode.ts";
import { preparePixels } from "../images/prepare-pixels.ts";
import type { ImageSize } from "./prepared-folder.ts";

/** One photo, prepared as a data set's images are, for as long as `use` needs its manifest. */
export async function withOneImage<T>(
  image_file: string,
  size: ImageSize,
  signal: AbortSignal,
  use: (pixels_manifest: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "cliprpn-"));
  try {
    await preparePixels({
      images_dir: dirname(image_file),
      wanted: [{ image_id: 0, file_name: basename(image_file), width: null, height: null }],
      folder,
      ...size,
      max_pixels: DEFAULT_MAX_PIXELS,
      follow_links: true, // It was named by hand.
      onProgress: () => undefined,
      signal,
    });
    return await use(join(folder, "manifest.json"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
