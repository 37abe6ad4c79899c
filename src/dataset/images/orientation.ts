import type { Metadata } from "sharp";
import { CliprpnError } from "../../contract/errors.ts";
import type { AnnotationSource, WantedImage } from "../../contract/generated/types.ts";

/**
 * The frame of the boxes of an image with an EXIF orientation: turned upright, as viewers show it, or as the file
 * stores the pixels. `by_size`: the frame that has the size in the annotations; upright if there is none, or if both
 * have it. `by_size_or_stored` differs in the last case only.
 */
export type FrameRule = "upright" | "stored" | "by_size" | "by_size_or_stored";

/** COCO's boxes are in the stored frame, also those of square images. */
export function frameRule({ layout, orientation }: AnnotationSource): FrameRule {
  return orientation ?? (layout === "refcoco" ? "by_size_or_stored" : "by_size");
}

/** An image's size in the frame of its boxes. */
export interface SizeInFrame {
  width: number;
  height: number;
  /** True if the EXIF orientation was applied. */
  upright: boolean;
  /** The EXIF orientation, if there is one. */
  orientation?: number;
}

/** @throws CliprpnError data_invalid if the size in the annotations is another one. */
export function sizeInFrame(
  { width, height, orientation = 1 }: Pick<Metadata, "width" | "height" | "orientation">,
  recorded: Pick<WantedImage, "width" | "height">,
  rule: FrameRule = "by_size",
): SizeInFrame {
  const hasSize = ({ width, height }: SizeInFrame): boolean =>
    recorded.width === null ||
    recorded.height === null ||
    (recorded.width === width && recorded.height === height);
  const flag = orientation >= 2 && orientation <= 8 ? { orientation } : {};
  const stored = { width, height, upright: false, ...flag };
  const turned = orientation > 4 && orientation <= 8 ? { width: height, height: width } : { width, height };
  const upright = { ...turned, upright: true, ...flag };
  const fitting = ("orientation" in flag ? [upright, stored] : [stored]).filter(hasSize);
  const [first] = fitting;
  if (first === undefined)
    throw new CliprpnError(
      "data_invalid",
      `expected ${recorded.width} x ${recorded.height} pixels, found ${width} x ${height}`,
    );
  if (!("orientation" in flag)) return first;
  if (rule === "upright") return upright;
  if (rule === "stored") return stored;
  const isUnclear = fitting.length === 2 && recorded.width !== null && recorded.height !== null;
  return rule === "by_size_or_stored" && isUnclear ? stored : first;
}
