import { parse } from "node:path";
import type { Detector, StoredExperiment, TrialBackbone, TrialSpec } from "../../contract/generated/types.ts";
import { findPublished } from "../../experiment/detector-weights.ts";
import { detectorLabel } from "../../experiment/detectors.ts";
import type { TrainingPart } from "../../report/report-input.ts";

/** The weights that trials use, with what the experiment, or else their published name, says that they were trained on. */
export function trainingParts(
  specs: readonly TrialSpec[],
  declared: StoredExperiment["trained_on"],
): TrainingPart[] {
  const [first] = specs;
  if (first === undefined) return [];
  const labelsOf = new Map<string, { detector: Detector; labels: Set<string> }>();
  for (const spec of specs) {
    if (spec.kind !== "baseline" || !("sha256" in spec.baseline.detector)) continue;
    const { detector } = spec.baseline;
    const key = JSON.stringify(detector);
    const entry = labelsOf.get(key) ?? { detector, labels: new Set() };
    labelsOf.set(key, { detector, labels: entry.labels.add(spec.label) });
  }
  return [
    backbonePart(first.backbone, declared?.backbone),
    ...[...labelsOf.values()].map(({ detector, labels }) => ({
      name: detectorLabel(detector),
      labels: [...labels],
      ...knownTraining(detector, declared?.detectors),
    })),
  ];
}

function backbonePart({ name, weights }: TrialBackbone, declared: string[] | undefined): TrainingPart {
  const part = { name: `CLIP ${name}`, labels: "all" as const };
  if (declared !== undefined) return { ...part, trained_on: declared, source: "declared" };
  if (weights === "shipped") return { ...part, trained_on: ["generated scenes"], source: "known" };
  return { ...part, trained_on: null, source: "undeclared" };
}

function knownTraining(
  detector: Detector,
  declared: Record<string, string[] | undefined> = {},
): Pick<TrainingPart, "trained_on" | "source"> {
  const sha256 = "sha256" in detector ? detector.sha256 : "";
  const names = declared[sha256];
  if (names !== undefined) return { trained_on: names, source: "declared" };
  if (sha256 === "coco") return { trained_on: [cocoTrain2017], source: "known" };
  return isPublished(detector)
    ? { trained_on: [cocoTrain2017], source: "file_name" }
    : { trained_on: null, source: "undeclared" };
}

function isPublished(detector: Detector): boolean {
  return "file" in detector && findPublished(parse(detector.file).name)?.kind === detector.kind;
}

/** What torchvision, ultralytics and YOLOX train their published detectors on. */
const cocoTrain2017 = "COCO train2017";
