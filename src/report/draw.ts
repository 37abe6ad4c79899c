import { existsSync } from "node:fs";
import type { Sharp } from "sharp";
import { loadSharp } from "../base/sharp.ts";
import { CliprpnError } from "../contract/errors.ts";
import { type Caption, captionSvg } from "./caption.ts";

/** A box to draw: corners in pixels of the original image. */
export interface DrawnBox {
  box_xyxy: [number, number, number, number];
  color: string;
  dashed?: boolean;
}

export interface DrawOptions {
  /** Written below the image. */
  caption?: Caption;
  /** Side of the square that the image is brought to fill, in pixels; its own size by default. */
  fit?: number;
  /** Applies a photo's rotation flag (EXIF) first; the boxes are in that frame. */
  upright?: boolean;
}

/**
 * Draws boxes on an image and writes it in the format that the file's ending names.
 *
 * @throws CliprpnError not_found, data_invalid where there is nothing that can be drawn on.
 */
export async function drawBoxes(
  imageFile: string,
  boxes: DrawnBox[],
  outFile: string,
  options: DrawOptions = {},
): Promise<void> {
  await checkImage(imageFile);
  const sharp = await loadSharp();
  const picture = options.upright === true ? sharp(imageFile).autoOrient() : sharp(imageFile);
  const metadata = await picture.metadata();
  const { width, height } = options.upright === true ? metadata.autoOrient : metadata;
  const zoom = options.fit === undefined ? 1 : Math.min(options.fit / width, options.fit / height);
  const size = { width: Math.round(width * zoom), height: Math.round(height * zoom) };
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${boxes.map((box) => boxSvg(box, zoom, size)).join("")}</svg>`;
  const drawn = await picture
    .resize({ ...size, fit: "fill", kernel: "lanczos3" })
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .composite([{ input: Buffer.from(overlay), left: 0, top: 0 }])
    .png()
    .toBuffer()
    .catch((error) => {
      throw noImage(imageFile, error);
    });
  await withCaption(sharp(drawn), size, options.caption).toFile(outFile);
}

/** Puts images side by side, for a minimal pair. */
export async function sideBySide(files: string[], outFile: string, gap = 12): Promise<void> {
  const sharp = await loadSharp();
  const sizes = await Promise.all(files.map((file) => sharp(file).metadata()));
  const width = sizes.reduce((sum, size) => sum + size.width, 0) + gap * (files.length - 1);
  const height = Math.max(...sizes.map((size) => size.height));
  let left = 0;
  const placed = files.map((input, index) => {
    const at = { input, left, top: 0 };
    left += (sizes[index]?.width ?? 0) + gap;
    return at;
  });
  await sharp({ create: { width, height, channels: 3, background: "white" } })
    .composite(placed)
    .png()
    .toFile(outFile);
}

/** @throws CliprpnError not_found, data_invalid where there is nothing that can be drawn on. */
export async function checkImage(file: string): Promise<void> {
  if (!existsSync(file)) throw new CliprpnError("not_found", `${file}: expected an image, found no file`);
  const sharp = await loadSharp();
  await sharp(file)
    .metadata()
    .catch((error) => {
      throw noImage(file, error);
    });
}

function noImage(file: string, cause: unknown): CliprpnError {
  const message = `${file}: expected an image (JPEG, PNG, WebP or GIF), found something else`;
  return new CliprpnError("data_invalid", message, { cause });
}

function withCaption(picture: Sharp, size: { width: number; height: number }, caption?: Caption): Sharp {
  if (caption === undefined) return picture;
  const { svg, height } = captionSvg(caption, size.width);
  return picture
    .extend({ bottom: height, background: "white" })
    .composite([{ input: Buffer.from(svg), left: 0, top: size.height }]);
}

/** The box's rectangle in an image of this size. @param zoom pixels of it per pixel of the original image. */
export function boxSvg(
  { box_xyxy, color, dashed }: DrawnBox,
  zoom: number,
  size: { width: number; height: number },
): string {
  const stroke = Math.max(2, Math.round(Math.min(size.width, size.height) / 130));
  // Inside the image whole: a box at its edge would lose half its line.
  const inset = stroke / 2 + 1;
  const [x1, y1, x2, y2] = box_xyxy.map((value) => value * zoom) as DrawnBox["box_xyxy"];
  const left = Math.max(inset, x1);
  const top = Math.max(inset, y1);
  const width = Math.max(1, Math.min(size.width - inset, x2) - left);
  const height = Math.max(1, Math.min(size.height - inset, y2) - top);
  const rect = (ink: string, thickness: number, more = ""): string =>
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="none" stroke="${ink}" stroke-width="${thickness}"${more}/>`;
  // A light halo below the coloured line keeps it visible on any background; between dashes, what lies below shows.
  const dashes = dashed === true ? ` stroke-dasharray="${stroke * 3} ${stroke * 3}"` : "";
  return rect("white", stroke + 2, dashes) + rect(color, stroke, dashes);
}
