import { existsSync } from "node:fs";
import type { Sharp } from "sharp";
import { wrapText } from "../base/format.ts";
import { loadSharp } from "../base/sharp.ts";
import { CliprpnError } from "../contract/errors.ts";

/** A box to draw, in pixels of the original image. */
export interface DrawnBox {
  box_xyxy: [number, number, number, number];
  color: string;
  dashed?: boolean;
}

export interface DrawOptions {
  /** Written below the image. */
  caption?: Caption;
  /** Side in pixels of the square that the image is resized to fit; the original size by default. */
  fit?: number;
  /** Applies the image's EXIF orientation first; the boxes are in the upright image. */
  upright?: boolean;
}

/** An expression, and a legend of the boxes. */
export interface Caption {
  sentence: string;
  legend: { text: string; color: string; dashed?: boolean }[];
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
  const size = { width: Math.round(width * zoom), height: Math.round(height * zoom) };
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${boxes.map((box) => boxSvg(box, zoom, size)).join("")}</svg>`;
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
  await addCaption(sharp(drawn), size, options.caption).toFile(outFile);
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

/**
 * The box as SVG rectangles.
 *
 * @param zoom pixels of the drawn image per pixel of the original.
 * @param size of the drawn image.
 */
export function boxSvg(
  { box_xyxy, color, dashed }: DrawnBox,
  zoom: number,
  size: { width: number; height: number },
): string {
  const stroke = Math.max(2, Math.round(Math.min(size.width, size.height) / 130));
  // At the edge of the image, half of the line would be cut off.
  const inset = stroke / 2 + 1;
  const [x1, y1, x2, y2] = box_xyxy.map((value) => value * zoom) as DrawnBox["box_xyxy"];
  const left = Math.max(inset, x1);
  const top = Math.max(inset, y1);
  const width = Math.max(1, Math.min(size.width - inset, x2) - left);
  const height = Math.max(1, Math.min(size.height - inset, y2) - top);
  const rect = (ink: string, thickness: number, more = ""): string =>
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="none" stroke="${ink}" stroke-width="${thickness}"${more}/>`;
  // A white outline keeps the line visible on any background; the gaps between dashes stay transparent.
  const dashes = dashed === true ? ` stroke-dasharray="${stroke * 3} ${stroke * 3}"` : "";
  return rect("white", stroke + 2, dashes) + rect(color, stroke, dashes);
}

function addCaption(image: Sharp, size: { width: number; height: number }, caption?: Caption): Sharp {
  if (caption === undefined) return image;
  const { svg, height } = captionSvg(caption, size.width);
  return image
    .extend({ bottom: height, background: "white" })
    .composite([{ input: Buffer.from(svg), left: 0, top: size.height }]);
}

function captionSvg({ sentence, legend }: Caption, width: number): { svg: string; height: number } {
  const columns = (indent: number): number =>
    Math.max(10, Math.floor((width - 2 * margin - indent) / (fontSize * 0.58)));
  const rows = [
    ...wrapText(sentence, columns(0)).map((text) => ({ text, indent: 0, line: "", weight: "bold" })),
    ...legend.flatMap(({ text, color, dashed }) =>
      wrapText(text, columns(legendIndent)).map((part, index) => ({
        text: part,
        indent: legendIndent,
        line: index === 0 ? legendLineSvg(color, dashed === true) : "",
        weight: "normal",
      })),
    ),
  ];
  const groups = rows.map(({ text, indent, line, weight }, index) => {
    const y = margin + fontSize + index * lineHeight;
    return `<g transform="translate(${margin} ${y})">${line}<text x="${indent}" font-family="DejaVu Sans" font-weight="${weight}" font-size="${fontSize}" fill="#222">${escapeXml(text)}</text></g>`;
  });
  const height = rows.length * lineHeight + 2 * margin;
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${groups.join("")}</svg>`,
    height,
  };
}

const fontSize = 14;
const lineHeight = 20;
const margin = 8;
const legendIndent = 34;

function legendLineSvg(color: string, dashed: boolean): string {
  const dashes = dashed ? ' stroke-dasharray="6 3"' : "";
  return `<line x1="0" y1="-5" x2="24" y2="-5" stroke="${color}" stroke-width="4"${dashes}/>`;
}

/** Text for SVG, without control characters. */
export function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text
    .replace(/[&<>"']/g, (character) => entities[character] ?? character)
    .replace(/[^\P{Cc}\t]/gu, "");
}

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
  await sharp({ create: { width, height, channels: 3, background: "white" } })
    .composite(layers)
    .png()
    .toFile(outFile);
}
