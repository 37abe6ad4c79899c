import { count, counted } from "../../base/format.ts";
import type { AnnotationSource, PixelsManifest, WantedImage } from "../../contract/generated/types.ts";
import { imagesOf } from "./prepare-images.ts";

/**
 * What to say about images with an EXIF rotation: in which frame their boxes are read. It is a warning unless the
 * person has chosen the frame, since boxes in the other one are elsewhere without any error.
 */
export function describeRotated(
  { orientation }: AnnotationSource,
  wanted: readonly WantedImage[],
  manifest: PixelsManifest,
): { notes: string[]; warnings: string[] } {
  const images = imagesOf(manifest);
  const rotated = images.flatMap((image, index) =>
    image.orientation == null || image.problem !== null ? [] : [{ ...image, where: wanted[index]?.where }],
  );
  const [first] = rotated;
  if (first === undefined) return { notes: [], warnings: [] };
  const numUpright = rotated.filter(({ upright }) => upright).length;
  const frames = [
    ...(numUpright > 0 ? [`${count(numUpright)} upright, as viewers show them`] : []),
    ...(numUpright < rotated.length ? [`${count(rotated.length - numUpright)} as stored`] : []),
  ].join(", and ");
  const example = `${first.where ? `${first.where}: ` : ""}${JSON.stringify(first.file_name)}, ${first.width} x ${first.height}`;
  const line = `${counted(rotated.length, "image")} of ${count(images.length)} ha${rotated.length === 1 ? "s" : "ve"} an EXIF rotation; boxes are read in this frame: ${frames} (first: ${example})`;
  if (orientation != null) return { notes: [`${line}, as --orientation ${orientation} says`], warnings: [] };
  return {
    notes: [],
    warnings: [
      `${line}; if the boxes were drawn in the other frame, use --orientation upright or --orientation stored`,
    ],
  };
}
