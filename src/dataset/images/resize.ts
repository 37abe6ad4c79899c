import type { Resize } from "../../contract/generated/types.ts";

/** Pixels of an image, row by row: uint8, RGB. */
export interface Rgb {
  data: Buffer;
  width: number;
  height: number;
}

/** Position of an image in its prepared square: x_prepared = x * scale_x + left_px, and likewise for y. */
export interface Frame {
  scale_x: number;
  scale_y: number;
  left_px: number;
  top_px: number;
  resized_width: number;
  resized_height: number;
}

/**
 * The frame of an image: `squash` fills the square, `letterbox` keeps the aspect ratio and centers the image.
 * The resized size is whole pixels, and each scale is exactly its ratio to the original size.
 */
export function frameOf(width: number, height: number, image_size_px: number, resize: Resize): Frame {
  const [resized_width, resized_height] =
    resize === "squash" ? [image_size_px, image_size_px] : letterboxSize(width, height, image_size_px);
  return {
    scale_x: resized_width / width,
    scale_y: resized_height / height,
    left_px: Math.floor((image_size_px - resized_width) / 2),
    top_px: Math.floor((image_size_px - resized_height) / 2),
    resized_width,
    resized_height,
  };
}

function letterboxSize(width: number, height: number, image_size_px: number): [number, number] {
  const longest = Math.max(width, height);
  return [
    Math.max(1, Math.round((width * image_size_px) / longest)),
    Math.max(1, Math.round((height * image_size_px) / longest)),
  ];
}

/**
 * The image, not larger than its frame's resized size, as the whole square: [image_size_px, image_size_px,
 * 3].
 */
export function fillSquare(image: Rgb, frame: Frame, image_size_px: number): Buffer {
  return pad(enlarge(image, frame.resized_width, frame.resized_height), frame, image_size_px);
}

/** Around a letterboxed image: CLIP's mean color, which its normalization maps to zero. */
const padding = Buffer.from([122, 116, 104]);

function pad({ data, width, height }: Rgb, { left_px, top_px }: Frame, image_size_px: number): Buffer {
  if (width === image_size_px && height === image_size_px) return data;
  const square = Buffer.alloc(image_size_px * image_size_px * 3, padding);
  for (let y = 0; y < height; y += 1)
    data.copy(square, ((top_px + y) * image_size_px + left_px) * 3, y * width * 3, (y + 1) * width * 3);
  return square;
}

/**
 * Enlarges an image with Pillow's bicubic filter; neither axis may shrink. libvips (8.18) shifts by half an
 * original pixel when it enlarges: from 640 x 416 to 448 x 448 it differs from Pillow by 8 gray levels on
 * average, and boxes no longer fit.
 */
function enlarge(image: Rgb, width: number, height: number): Rgb {
  return enlargeHeight(enlargeWidth(image, width), height);
}

function enlargeWidth({ data, width, height }: Rgb, new_width: number): Rgb {
  if (new_width === width) return { data, width, height };
  const out = Buffer.allocUnsafe(new_width * height * 3);
  const taps = bicubicTaps(width, new_width, 3);
  for (let y = 0; y < height; y += 1) applyTaps(data, out, taps, y * width * 3, y * new_width * 3, 3);
  return { data: out, width: new_width, height };
}

function enlargeHeight({ data, width, height }: Rgb, new_height: number): Rgb {
  if (new_height === height) return { data, width, height };
  const row_bytes = width * 3;
  const out = Buffer.allocUnsafe(row_bytes * new_height);
  applyTaps(data, out, bicubicTaps(height, new_height, row_bytes), 0, 0, row_bytes);
  return { data: out, width, height: new_height };
}

/** Computes each output position, `num_bytes` bytes, as a weighted sum of four input positions. */
function applyTaps(
  input: Buffer,
  output: Buffer,
  { offsets, weights }: Taps,
  input_start: number,
  output_start: number,
  num_bytes: number,
): void {
  let at = output_start;
  for (let tap = 0; tap < offsets.length; tap += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = offsets.subarray(tap, tap + 4);
    const [wa = 0, wb = 0, wc = 0, wd = 0] = weights.subarray(tap, tap + 4);
    const end = input_start + num_bytes;
    for (let byte = input_start; byte < end; byte += 1) {
      const sum =
        wa * (input[a + byte] ?? 0) +
        wb * (input[b + byte] ?? 0) +
        wc * (input[c + byte] ?? 0) +
        wd * (input[d + byte] ?? 0);
      output[at] = sum < 0 ? 0 : sum > 255 ? 255 : sum + 0.5;
      at += 1;
    }
  }
}

/** Four per output position: input offsets in bytes, and their weights. */
interface Taps {
  offsets: Int32Array;
  weights: Float64Array;
}

/**
 * Pixel centers map to pixel centers; weights that fall outside the image are redistributed to the others.
 */
function bicubicTaps(input_size: number, output_size: number, step_bytes: number): Taps {
  const offsets = new Int32Array(output_size * 4);
  const weights = new Float64Array(output_size * 4);
  for (let position = 0; position < output_size; position += 1) {
    const center = ((position + 0.5) * input_size) / output_size;
    const first = Math.round(center - 2);
    let sum = 0;
    for (let tap = 0; tap < 4; tap += 1) {
      const source = first + tap;
      if (source < 0 || source >= input_size) continue;
      const weight = cubic(source + 0.5 - center);
      offsets[position * 4 + tap] = source * step_bytes;
      weights[position * 4 + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < 4; tap += 1)
      weights[position * 4 + tap] = (weights[position * 4 + tap] ?? 0) / sum;
  }
  return { offsets, weights };
}

/** Keys' cubic convolution kernel, a = -0.5. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
