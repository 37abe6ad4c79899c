import type { DiskPart, KeepModels } from "../../contract/generated/types.ts";
import type { EvaluationTarget } from "../predict-on.ts";
import { keepsDetections } from "../prepare/preparation-parts.ts";
import { left, type TimedConfiguration } from "./costs.ts";
import type { DatasetCounts } from "./dataset-counts.ts";
import { type FoundCosts, limitOf } from "./find-costs.ts";
import type { ImagesLeft } from "./images-left.ts";
import { keptBytes, runningBytes } from "./model-space.ts";
import type { Projected } from "./project.ts";
import { numOthers, numVal } from "./project.ts";
import { sum } from "./timing.ts";

/** Where a sweep writes, and what it keeps. */
export interface WrittenTo {
  cacheDir: string;
  runsDir: string;
  keep_models: KeepModels;
  targets: readonly EvaluationTarget[];
  counts: DatasetCounts;
}

/** The files that a sweep will write, without those of its report. */
export function diskParts(
  costs: FoundCosts,
  { features, baselines }: Projected,
  images: readonly ImagesLeft[],
  to: WrittenTo,
): DiskPart[] {
  const { cacheDir, runsDir } = to;
  const waiting = costs.configurations.map(({ timed }) => timed).filter((each) => left(each) > 0);
  const isUnprepared = costs.unprepared.length > 0;
  const inCache = (part: DiskPart["part"], { num, bytes }: { num: number; bytes: number }): DiskPart => ({
    part,
    num: isUnprepared ? null : num,
    bytes: isUnprepared ? null : bytes,
    folder: cacheDir,
  });
  const hasViews = costs.unprepared.some(({ settings }) => settings.training.views > 0);
  const answers = predictions("answers", costs, runsDir, (each) => each.num_to_evaluate, numOthers);
  return [
    ...images.map(({ num, bytes, folder }): DiskPart => ({ part: "images", num, bytes, folder })),
    inCache("maps", features.maps),
    ...(isUnprepared && !hasViews ? [] : [inCache("views", features.views)]),
    inCache("text", features.text),
    ...baselineParts(costs, baselines, to),
    ...modelParts(waiting, isUnprepared, costs.num_workers, to),
    predictions("predictions", costs, runsDir, (each) => left(each), numVal),
    ...(to.targets.length === 0 ? [] : [answers]),
  ].filter(({ num, bytes }) => num !== 0 && bytes !== 0);
}

/** Detections and embeddings; how many of them are in the cache, only Python can tell. */
function baselineParts(
  { baselines }: FoundCosts,
  works: Projected["baselines"],
  { cacheDir, targets, counts }: WrittenTo,
): DiskPart[] {
  const waiting = baselines.filter(({ timed }) => left(timed) > 0 || timed.num_to_evaluate > 0);
  if (waiting.length === 0) return [];
  const splitsOf = ({ timed: { spec, num_to_evaluate } }: (typeof waiting)[number]): (number | null)[] => [
    imagesIn(spec.dataset.root, "val", spec.limits.val, counts),
    ...(num_to_evaluate === 0
      ? []
      : targets.map(({ dataset, split }) =>
          imagesIn(
            dataset.root,
            split,
            dataset.id === spec.dataset.id ? limitOf(spec.limits, split) : null,
            counts,
          ),
        )),
  ];
  const most = (found: typeof waiting): number | null => {
    const nums = found.map((each) => total(splitsOf(each)));
    return nums.includes(null) ? null : nums.reduce((largest: number, num) => Math.max(largest, num ?? 0), 0);
  };
  const isMeasured = waiting.every(({ timed }) => timed.measured !== undefined);
  const detecting = waiting.filter(({ timed }) => keepsDetections(timed.spec));
  const parts: DiskPart[] = [
    // Measured together with the embeddings.
    ...(detecting.length === 0
      ? []
      : [
          {
            part: "detections" as const,
            num: most(detecting),
            bytes: isMeasured ? 0 : null,
            folder: cacheDir,
          },
        ]),
    { part: "embeddings", num: most(waiting), bytes: isMeasured ? works.bytes : null, folder: cacheDir },
  ];
  return parts.map((part) => ({ ...part, at_most: true }));
}

function imagesIn(
  root: string,
  split: EvaluationTarget["split"],
  limit: number | null,
  counts: DatasetCounts,
): number | null {
  const known = counts.split(root, split);
  return known === undefined ? null : Math.min(known.num_images, limit ?? Number.POSITIVE_INFINITY);
}

function modelParts(
  waiting: readonly TimedConfiguration[],
  isUnprepared: boolean,
  numSlots: number,
  { runsDir, keep_models }: WrittenTo,
): DiskPart[] {
  if (waiting.length === 0 && !isUnprepared) return [];
  const sizes = waiting.flatMap((each) =>
    Array.from({ length: left(each) }, () => each.measured.checkpoint_bytes),
  );
  const checkpoints = sizes.filter((size) => size !== undefined);
  const isKnown = checkpoints.length === sizes.length && !isUnprepared;
  const perTrial = { all: 2, best: 1, none: 0 }[keep_models];
  return [
    {
      part: "models",
      num: isUnprepared ? null : sizes.length * perTrial,
      bytes: isKnown ? keptBytes({ keep_models, checkpoints }) : null,
      folder: runsDir,
    },
    {
      part: "checkpoints",
      num: isUnprepared ? null : Math.min(numSlots, sizes.length),
      bytes: isKnown ? runningBytes({ checkpoints, numSlots }) : null,
      folder: runsDir,
    },
  ];
}

type Timed = FoundCosts["configurations"][number]["timed"] | FoundCosts["baselines"][number]["timed"];

function predictions(
  part: "predictions" | "answers",
  { configurations, baselines, unprepared }: FoundCosts,
  folder: string,
  numFiles: (each: Timed) => number,
  numExpressions: (each: Timed) => number | undefined,
): DiskPart {
  const all: Timed[] = [...configurations, ...baselines].map(({ timed }) => timed);
  const answering = all.filter((each) => numFiles(each) > 0);
  const bytes = answering.map((each) => {
    const unit = each.measured?.prediction_bytes;
    const num = numExpressions(each);
    return unit === undefined || num === undefined ? null : unit * numFiles(each) * num;
  });
  return {
    part,
    num: unprepared.length > 0 ? null : sum(answering.map(numFiles)),
    bytes: unprepared.length > 0 ? null : total(bytes),
    folder,
  };
}

/** Null if one of them is not known. */
function total(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (sum, value) => (sum === null || value === null ? null : sum + value),
    0,
  );
}
