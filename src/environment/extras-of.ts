import type { Detector, TrialSpec } from "../contract/generated/types.ts";
import type { ExtraName } from "./extras.ts";

/** What of Python's optional packages the trials need. */
export function extrasOf(trials: readonly TrialSpec[]): ExtraName[] {
  const extras = trials.flatMap((spec) =>
    spec.kind === "baseline" ? (extraOf[spec.baseline.detector.kind] ?? []) : [],
  );
  return [...new Set(extras)];
}

const extraOf: Partial<Record<Detector["kind"], ExtraName>> = {
  yolo: "yolo",
  trained_yolo: "yolo",
  yolox: "onnx",
};
