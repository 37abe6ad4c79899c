import type { BoxXyxy, Resize } from "../contract/generated/types.ts";

/** Where an image lies in its prepared square: x_prepared = x * scale_x + left_px, and y alike. */
export interface Frame {
  scale_x: number;
  scale_y: number;
  left_px: number;
  top_px: number;
  resized_width: number;
  resized_height: number;
}

/**
 * The frame of an image of so many pixels: `squash` fills the square, `letterbox` keeps the shape and centres it. The
 * resized size is whole, and the scales are exactly its ratio to the original, each axis by itself.
 */
export function frameOf(width: number, height: number, image_size_px: number, resize: Resize): Frame {
  const [resized_width, resized_height] =
    resize === "squash" ? [image_size_px, image_size_px] : keptShape(width, height, image_size_px);
  return {
    scale_x: resized_width / width,
    scale_y: resized_height / height,
    left_px: Math.floor((image_size_px - resized_width) / 2),
    top_px: Math.floor((image_size_px - resized_height) / 2),
    resized_width,
    resized_height,
  };
}

function keptShape(width: number, height: number, image_size_px: number): [number, number] {
  const longest = Math.max(width, height);
  return [
    Math.max(1, Math.round((width * image_size_px) / longest)),
    Math.max(1, Math.round((height * image_size_px) / longest)),
  ];
}

type Placed = Pick<Frame, "scale_x" | "scale_y" | "left_px" | "top_px">;

/** A box of the original image, in the prepared frame; both in pixels. */
export function toFrame([x1, y1, x2, y2]: BoxXyxy, { scale_x, scale_y, left_px, top_px }: Placed): BoxXyxy {
  return [x1 * scale_x + left_px, y1 * scale_y + top_px, x2 * scale_x + left_px, y2 * scale_y + top_px];
}

/** The inverse of `toFrame`. */
export function toImage([x1, y1, x2, y2]: BoxXyxy, { scale_x, scale_y, left_px, top_px }: Placed): BoxXyxy {
  return [
    (x1 - left_px) / scale_x,
    (y1 - top_px) / scale_y,
    (x2 - left_px) / scale_x,
    (y2 - top_px) / scale_y,
  ];
}
