import type { TrialSpec } from "../contract/generated/types.ts";
import type { ImageSize } from "../dataset/prepare/prepared-folder.ts";
import { imageSizeOf } from "../store/model-facts.ts";

/** The image size that a trial asks for. */
export function imageSizeFor(spec: TrialSpec): ImageSize {
  if (spec.kind === "cliprpn") {
    const { image_size_px, resize } = spec.settings;
    return { image_size_px, resize };
  }
  const { detector } = spec.baseline;
  return detector.kind === "rpn" ? imageSizeOf(detector.file) : anySize;
}

/** A baseline reads the original images; a dataset that is not prepared yet is prepared at this size. */
const anySize: ImageSize = { image_size_px: 224, resize: "squash" };

/** The image sizes that trials ask for, each once. */
export function distinctSizes(trials: readonly TrialSpec[]): ImageSize[] {
  // Baselines with the same detector read its model's file once.
  const sources = new Map(
    trials.map((spec) => [
      JSON.stringify(spec.kind === "cliprpn" ? imageSizeFor(spec) : spec.baseline.detector),
      spec,
    ]),
  );
  const sizes = [...sources.values()].map(imageSizeFor);
  return [...new Map(sizes.map((size) => [`${size.resize} ${size.image_size_px}`, size])).values()];
}
