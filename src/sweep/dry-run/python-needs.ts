import { existsSync } from "node:fs";
import { counted } from "../../base/format.ts";
import type { BaselineSpec, TrialSpec } from "../../contract/generated/types.ts";
import { isPrepared } from "../../dataset/prepare/prepared-folder.ts";
import { isUnprepared, unpreparedParts } from "../datasets.ts";
import { trains } from "../prepare/prepare-trials.ts";
import type { ReadPlan } from "../read-plan.ts";
import type { RunContext } from "../run-context.ts";

/** What only Python can check. */
export interface PythonNeeds {
  waiting: readonly TrialSpec[];
  /** Trials with a fusion, or weights of CLIP, from a file. */
  models: TrialSpec[];
  /** A trial of each detector that has to be opened. */
  detectors: BaselineSpec[];
  hasRawDataset: boolean;
  /** True if the images to train on can be compared with those of other datasets to evaluate on. */
  hasImages: boolean;
  /** True if the images to leave out of a joint training set can be counted. */
  hasJoint: boolean;
  /** All of it, in words. */
  all: string[];
}

export function pythonNeeds(
  waiting: readonly TrialSpec[],
  { dataset, targets }: ReadPlan,
  run: RunContext,
): PythonNeeds {
  const models = waiting.filter(
    (spec) =>
      spec.kind === "cliprpn" &&
      (spec.settings.fusion.kind === "file" ||
        !["shipped", "openai"].includes(spec.backbone.weights) ||
        (spec.settings.training.precision === "bf16" && run.device !== "cpu")),
  );
  const isPreparedHere = isPrepared(dataset.root);
  const detectors = isPreparedHere ? detectorsToOpen(waiting) : [];
  const hasRawDataset = !isPreparedHere && dataset.raw !== undefined && dataset.demo === undefined;
  const others = targets.filter((target) => target.dataset.id !== dataset.id);
  const hasImages =
    others.length > 0 &&
    dataset.joint === undefined &&
    waiting.some(trains) &&
    [{ dataset }, ...others].every((each) => isPrepared(each.dataset.root));
  const hasJoint = isUnprepared(dataset) && unpreparedParts(dataset).length === 0;
  const usesDevice =
    (waiting.length > 0 && mayHaveGpu(run)) ||
    waiting.some((spec) => spec.kind === "cliprpn" && spec.settings.training.cuda_graphs);
  const all = [
    ...(hasRawDataset ? ["the splits of the dataset"] : []),
    ...(models.length > 0 ? ["the fusions"] : []),
    ...(detectors.length > 0 ? [counted(detectors.length, "detector")] : []),
    ...(hasJoint ? ["the images that are trained and evaluated on"] : []),
    ...(hasImages ? ["images that are trained and evaluated on"] : []),
    ...(usesDevice ? [`the device ${run.device}`] : []),
  ];
  return { waiting, models, detectors, hasRawDataset, hasImages, hasJoint, all };
}

/** A YOLO to train may not exist yet; annotations need no opening. */
function detectorsToOpen(waiting: readonly TrialSpec[]): BaselineSpec[] {
  const specs = waiting.flatMap((spec) => (spec.kind === "baseline" ? [spec] : []));
  const opened = specs.filter(
    ({ baseline: { detector } }) => !["trained_yolo", "gt_boxes", "whole_image"].includes(detector.kind),
  );
  return [...new Map(opened.map((spec) => [JSON.stringify(spec.baseline.detector), spec])).values()];
}

/** False if trials run on the CPU for sure, which needs no Python to tell. */
export function mayHaveGpu({ device, devices }: Pick<RunContext, "device" | "devices">): boolean {
  if (devices !== undefined || !["auto", "cpu"].includes(device)) return true;
  if (device === "cpu") return false;
  return process.platform === "darwin" || gpuFiles.some((file) => existsSync(file));
}

/** Of the drivers of NVIDIA (also in WSL) and AMD. */
const gpuFiles = ["/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd"];
