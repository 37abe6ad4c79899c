import { existsSync } from "node:fs";
import type { Sharp } from "sharp";
import { loadSharp, writeImage } from "../../base/sharp.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { boxesSvg, type DrawnBox } from "./boxes-svg.ts";
import { type Caption, captionSvg } from "./caption-svg.ts";

export interface DrawOptions {
  /** Written below the image. */
  caption?: Caption;
  /** Side in pixels of the square that the image is resized to fit; the original size by default. */
  fit?: number;
  /** Applies the image's EXIF orientation first; the boxes are in the upright image. */
  upright?: boolean;
}

/**
 * Draws boxes on an image and writes it in the format of the output file's extension.
 *
 * @throws CliprpnError not_found, or data_invalid if the file is not an image.
 */
export async function drawBoxes(
  imageFile: string,
  boxes: DrawnBox[],
  outFile: string,
  options: DrawOptions = {},
): Promise<void> {
  await checkImage(imageFile);
  const sharp = await loadSharp();
  const image = options.upright === true ? sharp(imageFile).autoOrient() : sharp(imageFile);
  const metadata = await image.metadata();
  const { width, height } = options.upright === true ? metadata.autoOrient : metadata;
  const zoom = options.fit === undefined ? 1 : Math.min(options.fit / width, options.fit / height);
  const size = {
    width: Math.max(1, Math.round(width * zoom)),
    height: Math.max(1, Math.round(height * zoom)),
  };
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${boxesSvg(boxes, zoom, size)}</svg>`;
  const drawn = await image
    .resize({ ...size, fit: "fill", kernel: "lanczos3" })
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .composite([{ input: Buffer.from(overlay), left: 0, top: 0 }])
    .png()
    .toBuffer()
    .catch((error) => {
      throw notAnImage(imageFile, error);
    });
  await writeImage(addCaption(sharp(drawn), size, options.caption), outFile);
}

/** @throws CliprpnError not_found, or data_invalid if the file is not an image. */
export async function checkImage(file: string): Promise<void> {
  if (!existsSync(file)) throw new CliprpnError("not_found", `${file}: expected an image, found no file`);
  const sharp = await loadSharp();
  await sharp(file)
    .metadata()
    .catch((error) => {
      throw notAnImage(file, error);
    });
}

function notAnImage(file: string, cause: unknown): CliprpnError {
  const message = `${file}: expected an image (JPEG, PNG, WebP or GIF), found something else`;
  return new CliprpnError("data_invalid", message, { cause });
}

/** A narrow image gets a white margin on its right, so that the caption can be read. */
function addCaption(image: Sharp, size: { width: number; height: number }, caption?: Caption): Sharp {
  if (caption === undefined) return image;
  const width = Math.max(size.width, minCaptionWidth);
  const { svg, height } = captionSvg(caption, width);
  return image
    .extend({ bottom: height, right: width - size.width, background: "white" })
    .composite([{ input: Buffer.from(svg), left: 0, top: size.height }]);
}

const minCaptionWidth = 320;

/** Joins images side by side, for a minimal pair. */
export async function joinSideBySide(files: string[], outFile: string, gap = 12): Promise<void> {
  const sharp = await loadSharp();
  const sizes = await Promise.all(files.map((file) => sharp(file).metadata()));
  const width = sizes.reduce((sum, size) => sum + size.width, 0) + gap * (files.length - 1);
  const height = Math.max(...sizes.map((size) => size.height));
  let left = 0;
  const layers = files.map((input, index) => {
    const layer = { input, left, top: 0 };
    left += (sizes[index]?.width ?? 0) + gap;
    return layer;
  });
  const joined = sharp({ create: { width, height, channels: 3, background: "white" } }).composite(layers);
  await writeImage(joined, outFile);
}
