import { createHash } from "node:crypto";
import type { Metadata } from "sharp";
import { count } from "../../base/format.ts";
import { loadSharp } from "../../base/sharp.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparedImage, Resize, WantedImage } from "../../contract/generated/types.ts";
import { type Frame, frameOf } from "../geometry.ts";
import { enlarge, type Rgb } from "./enlarge.ts";
import type { ImageFile } from "./read-image.ts";

/** Changes whenever the same file would give other pixels. */
export const preprocessing_version = "sharp-1";

/** An image with more is refused. */
export const DEFAULT_MAX_PIXELS = 80_000_000;

export interface DecodeOptions {
  image_size_px: number;
  resize: Resize;
  max_pixels: number;
  /** Whether a link may lead out of the folder of images. */
  follow_links: boolean;
}

export interface Decoded {
  picture: PreparedImage;
  /** [image_size_px, image_size_px, 3], uint8; null beside a problem. */
  rgb: Buffer | null;
}

/** One image, brought to the square. What is wrong with it is a value; nothing is raised. */
export async function decode(
  { content, problem, bytes, mtime_ms }: ImageFile,
  wanted: WantedImage,
  options: DecodeOptions,
): Promise<Decoded> {
  const facts = { file_name: wanted.file_name, bytes, mtime_ms };
  if (content === null) return { picture: { ...facts, ...nowhere, problem }, rgb: null };
  try {
    const { rgb, size, frame } = await decodeBytes(content, wanted, options);
    const { scale_x, scale_y, left_px, top_px } = frame;
    return { picture: { ...facts, ...size, scale_x, scale_y, left_px, top_px, problem: null }, rgb };
  } catch (error) {
    return { picture: { ...facts, ...nowhere, problem: said(error) }, rgb: null };
  }
}

/** The frame of an image that has none. */
export const nowhere = { width: 0, height: 0, upright: false, scale_x: 1, scale_y: 1, left_px: 0, top_px: 0 };

interface Size {
  width: number;
  height: number;
  /** Whether the rotation flag was applied to get there. */
  upright: boolean;
}

async function decodeBytes(
  content: Buffer,
  wanted: WantedImage,
  options: DecodeOptions,
): Promise<{ rgb: Buffer; size: Size; frame: Frame }> {
  if (isMarkup(content)) throw invalid(`expected ${formats.join(", ")} or avif, found svg, xml or html`);
  const sharp = await loadSharp();
  const open = { failOn: "error", limitInputPixels: false } as const;
  const header = await sharp(content, open).metadata();
  checkHeader(header, options.max_pixels);
  const size = sizeInFrame(header, wanted);
  const frame = frameOf(size.width, size.height, options.image_size_px, options.resize);
  const picture = sharp(content, { ...open, autoOrient: size.upright, ignoreIcc: isSrgb(header.icc) });
  const { data, info } = await picture
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .resize(Math.min(size.width, frame.resized_width), Math.min(size.height, frame.resized_height), resizing)
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw invalid(`expected three channels, found ${info.channels}`);
  const { width, height } = info;
  const resized = enlarge({ data, width, height }, frame.resized_width, frame.resized_height);
  return { rgb: inSquare(resized, frame, options.image_size_px), size, frame };
}

/**
 * CLIP's bicubic. Against Pillow's on COCO photos without a colour profile at 224: mean 0.18 of 255 (p99 1); Lanczos3 1.5.
 * Fast shrink-on-load changes nothing at 224 and gains nothing; below, it would blur.
 */
const resizing = { fit: "fill", kernel: "cubic", fastShrinkOnLoad: false } as const;

const formats = ["jpeg", "png", "webp", "gif", "tiff", "heif"];
const depths = ["uchar", "ushort"];

function checkHeader({ format, width, height, depth }: Metadata, max_pixels: number): void {
  if (!formats.includes(format)) throw invalid(`expected ${formats.join(", ")} or avif, found ${format}`);
  if (!depths.includes(depth)) throw invalid(`expected 8 or 16 bits a channel, found ${depth}`);
  if (width * height > max_pixels)
    throw invalid(
      `expected at most ${count(max_pixels)} pixels, found ${width} x ${height}; --max-pixels raises the limit`,
    );
}

/** A drawing or an error page, neither of which is to be read: ten lines of svg keep librsvg busy for ten seconds. */
function isMarkup(content: Buffer): boolean {
  return /^(\xef\xbb\xbf)?\s*</.test(content.toString("latin1", 0, 256));
}

/**
 * Whether the profile is sRGB IEC61966-2.1, a third of COCO: converting from it changes no pixel, and doubles the time that
 * decoding takes.
 */
function isSrgb(icc: Buffer | undefined): boolean {
  return icc !== undefined && createHash("sha256").update(icc).digest("hex") === srgb_sha256;
}

const srgb_sha256 = "2b3aa1645779a9e634744faf9b01e9102b0c9b88fd6deced7934df86b949af7e";

/**
 * Boxes lie in the stored frame (COCO's do), or in the upright one that viewers show: the recorded size says which. A person's
 * image without one is turned upright.
 */
function sizeInFrame(stored: Metadata, recorded: WantedImage): Size {
  const { width, height } = stored;
  const orientation = stored.orientation !== undefined && stored.orientation <= 8 ? stored.orientation : 1;
  const upright = {
    ...(orientation > 4 ? { width: height, height: width } : { width, height }),
    upright: true,
  };
  if (recorded.width === null || recorded.height === null) return { ...upright, upright: orientation > 1 };
  if (recorded.width === width && recorded.height === height) return { width, height, upright: false };
  if (recorded.width === upright.width && recorded.height === upright.height) return upright;
  throw invalid(`expected ${recorded.width} x ${recorded.height} pixels, found ${width} x ${height}`);
}

/** Around a letterboxed image: CLIP's mean colour, which its normalisation takes to zero. */
const padding = Buffer.from([122, 116, 104]);

function inSquare({ data, width, height }: Rgb, { left_px, top_px }: Frame, image_size_px: number): Buffer {
  if (width === image_size_px && height === image_size_px) return data;
  const square = Buffer.alloc(image_size_px * image_size_px * 3, padding);
  for (let y = 0; y < height; y += 1)
    data.copy(square, ((top_px + y) * image_size_px + left_px) * 3, y * width * 3, (y + 1) * width * 3);
  return square;
}

function said(error: unknown): string {
  if (error instanceof CliprpnError) return error.message;
  const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
  return `expected an image (${formats.join(", ")}), found a broken one: ${reason.slice(0, 200)}`;
}

function invalid(message: string): CliprpnError {
  return new CliprpnError("data_invalid", message);
}
