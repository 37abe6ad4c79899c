import { createHash } from "node:crypto";
import type { Metadata } from "sharp";
import { count } from "../../base/format.ts";
import { loadSharpWithoutFonts } from "../../base/sharp.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparedImage, Resize, WantedImage } from "../../contract/generated/types.ts";
import { undecodableKind } from "./file-kind.ts";
import { type FrameRule, type SizeInFrame, sizeInFrame } from "./orientation.ts";
import type { ImageFile } from "./read-image.ts";
import { type Frame, fillSquare, frameOf } from "./resize.ts";

/** Change it whenever the same file would give different pixels. */
export const preprocessing_version = "sharp-1";

/** Larger images are refused. */
export const DEFAULT_MAX_PIXELS = 80_000_000;

export interface DecodeOptions {
  image_size_px: number;
  resize: Resize;
  max_pixels: number;
  /** True if a link may point outside the image folder. */
  follow_links: boolean;
  /** The frame of the boxes; `by_size` by default. */
  frame?: FrameRule | undefined;
}

export interface Decoded {
  image: PreparedImage;
  /** [image_size_px, image_size_px, 3], uint8; null if the image has a problem. */
  rgb: Buffer | null;
}

/** Decodes one image and resizes it to the square. Never throws: a bad image gets a `problem`. */
export async function decode(
  { content, problem, bytes, mtime_ms }: ImageFile,
  wanted: WantedImage,
  options: DecodeOptions,
): Promise<Decoded> {
  const facts = { file_name: wanted.file_name, bytes, mtime_ms };
  if (content === null) return { image: { ...facts, ...noFrame, problem }, rgb: null };
  try {
    const { rgb, size, frame } = await decodeBytes(content, wanted, options);
    const { scale_x, scale_y, left_px, top_px } = frame;
    return { image: { ...facts, ...size, scale_x, scale_y, left_px, top_px, problem: null }, rgb };
  } catch (error) {
    return { image: { ...facts, ...noFrame, problem: describeProblem(error) }, rgb: null };
  }
}

/** The frame of an image that could not be decoded. */
export const noFrame = { width: 0, height: 0, upright: false, scale_x: 1, scale_y: 1, left_px: 0, top_px: 0 };

async function decodeBytes(
  content: Buffer,
  wanted: WantedImage,
  options: DecodeOptions,
): Promise<{ rgb: Buffer; size: SizeInFrame; frame: Frame }> {
  const kind = undecodableKind(content);
  if (kind !== undefined) throw invalid(`expected ${readable}, found ${kind}`);
  const sharp = await loadSharpWithoutFonts();
  const input = { failOn: "error", limitInputPixels: false } as const;
  const header = await sharp(content, input).metadata();
  checkHeader(header, options.max_pixels);
  const size = sizeInFrame(header, wanted, options.frame);
  const frame = frameOf(size.width, size.height, options.image_size_px, options.resize);
  const { data, info } = await sharp(content, {
    ...input,
    autoOrient: size.upright,
    ignoreIcc: isSrgb(header.icc),
  })
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .resize(Math.min(size.width, frame.resized_width), Math.min(size.height, frame.resized_height), shrink)
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw invalid(`expected three channels, found ${info.channels}`);
  const { width, height } = info;
  return { rgb: fillSquare({ data, width, height }, frame, options.image_size_px), size, frame };
}

/**
 * CLIP's bicubic filter. On COCO photos without a color profile at 224 px it differs from Pillow's by 0.18 of
 * 255 on average (p99 1); Lanczos3 by 1.5. `fastShrinkOnLoad` gains nothing at 224 px; for smaller sizes it
 * would blur.
 */
const shrink = { fit: "fill", kernel: "cubic", fastShrinkOnLoad: false } as const;

const formats = ["jpeg", "png", "webp", "gif", "tiff", "heif"];
const readable = "jpeg, png, webp, gif, tiff or avif";
const depths = ["uchar", "ushort"];

function checkHeader({ format, width, height, depth }: Metadata, max_pixels: number): void {
  if (!formats.includes(format)) throw invalid(`expected ${readable}, found ${format}`);
  if (!depths.includes(depth)) throw invalid(`expected 8 or 16 bits per channel, found ${depth}`);
  if (width * height > max_pixels)
    throw invalid(
      `expected at most ${count(max_pixels)} pixels, found ${width} x ${height}; --max-pixels raises the limit`,
    );
}

/**
 * True if the color profile is sRGB IEC61966-2.1, as in a third of COCO: converting from it changes no pixel
 * and doubles the decoding time.
 */
function isSrgb(icc: Buffer | undefined): boolean {
  return icc !== undefined && createHash("sha256").update(icc).digest("hex") === srgb_sha256;
}

const srgb_sha256 = "2b3aa1645779a9e634744faf9b01e9102b0c9b88fd6deced7934df86b949af7e";

function describeProblem(error: unknown): string {
  if (error instanceof CliprpnError) return error.message;
  const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
  return `expected an image (${readable}), found a broken file: ${reason.slice(0, 200)}`;
}

function invalid(message: string): CliprpnError {
  return new CliprpnError("data_invalid", message);
}
