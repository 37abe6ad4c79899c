import { counted } from "../../base/format.ts";
import type { EstimateBasis, SweepEstimate, Timing } from "../../contract/generated/types.ts";
import { distinctSizes } from "../image-sizes.ts";
import type { ReadPlan } from "../read-plan.ts";
import type { TrialStatus } from "../resume.ts";
import { keysByLabel } from "./cost-keys.ts";
import { left } from "./costs.ts";
import { DatasetCounts } from "./dataset-counts.ts";
import { namedSome } from "./describe-time.ts";
import { kindOf, localDeviceName } from "./device.ts";
import { diskEstimate, type FindDisk } from "./disk-need.ts";
import { diskParts } from "./disk-parts.ts";
import { type FoundCosts, findCosts, timedOf } from "./find-costs.ts";
import { type ImagesLeft, imagesLeft } from "./images-left.ts";
import { runs } from "./left-trials.ts";
import { numSlotsHere } from "./measurements.ts";
import type { PlannedTrial } from "./planned-trials.ts";
import { type Projected, project, trialTime } from "./project.ts";
import { seenTrials } from "./seen-trials.ts";
import { baselineWorks } from "./shared-works.ts";

/** What an estimate is made from. */
export interface EstimateRequest {
  read: ReadPlan;
  planned: readonly PlannedTrial[];
  statuses: ReadonlyMap<string, TrialStatus>;
  runsDir: string;
  /** The device of each slot. */
  slots: readonly string[];
  /** True if they are on other machines: what preflight measured on this one says nothing about them. */
  isElsewhere?: boolean;
  /** Size of one saved model, by trial id, where Python has told it. */
  checkpoints?: ReadonlyMap<string, number>;
  findDisk?: FindDisk;
}

/** What is known about the costs of a sweep; `preflight` finds them in the same way, after measuring. */
export function costsOfSweep(
  request: Omit<EstimateRequest, "findDisk"> & { counts: DatasetCounts },
): FoundCosts {
  const { read, planned, statuses, runsDir, slots, counts, checkpoints, isElsewhere = false } = request;
  const { plan, targets } = read;
  const device = slots[0] ?? "unknown";
  const deviceKind = kindOf(device);
  const deviceName = isElsewhere ? undefined : localDeviceName(deviceKind);
  const on = {
    cacheDir: cacheOf(read),
    device,
    numSlots: Math.max(1, slots.length),
    targets,
    isElsewhere,
  };
  const { name, trials } = plan;
  const numSlots = numSlotsHere(on);
  const keysOf = keysByLabel();
  const here = { runsDir, statuses, counts, keysOf };
  const seen = seenTrials({ ...here, name, numSlots, trials, deviceKind, deviceName });
  return findCosts({ ...here, planned, targets, on, seen, checkpoints });
}

function cacheOf({ plan }: ReadPlan): string {
  return plan.trials[0]?.cache_dir ?? "";
}

/**
 * What the rest of a sweep takes: from earlier trials in the runs folder, from what preflight measured here, and from what is in the
 * cache. Python is not asked. What is not known is null; nothing is guessed.
 */
export async function estimateSweep(request: EstimateRequest): Promise<SweepEstimate> {
  const { read, planned, runsDir, slots } = request;
  const { plan, dataset, targets } = read;
  const counts = new DatasetCounts();
  const waiting = planned.filter(runs);
  const costs = costsOfSweep({ ...request, counts });
  const projected = project(timedOf(costs));
  const datasets = [dataset, ...targets.map((target) => target.dataset)];
  const images = imagesLeft(datasets, distinctSizes(plan.trials));
  const to = { cacheDir: cacheOf(read), runsDir, keep_models: plan.keep_models, targets, counts };
  const isPrepared = costs.unprepared.length === 0;
  const hasAll = isPrepared && images.length === 0;
  return {
    num_trials: waiting.length,
    num_resumed: planned.filter(({ state }) => state === "resumes").length,
    num_slots: slots.length,
    time: (hasAll ? projected.total : undefined) ?? null,
    trials_time: (isPrepared ? projected.trials : undefined) ?? null,
    parts: projected.parts.map(({ time, ...part }) => ({ ...part, time: time ?? null })),
    basis: basisOf(costs),
    unknown: unknowns(costs, projected, images, planned),
    disk: await diskEstimate(diskParts(costs, projected, images, to), request.findDisk),
  };
}

function basisOf({ configurations, baselines }: FoundCosts): EstimateBasis[] {
  const row = (
    { timed, ...basis }: FoundCosts["configurations" | "baselines"][number],
    trial: Timing | undefined,
  ): EstimateBasis => ({ label: timed.label, num_left: left(timed), ...basis, trial: trial ?? null });
  return [
    ...configurations.map((each) => row(each, trialTime(each.timed))),
    ...baselines.map((each) => row(each, oneBaseline(each.timed))),
  ].filter(({ num_left }) => num_left > 0);
}

/** One trial of a baseline, as if it was the first that needs its detections and embeddings. */
function oneBaseline(each: FoundCosts["baselines"][number]["timed"]): Timing | undefined {
  return baselineWorks([{ ...each, num_trials: 1, num_completed: 0 }]).trials[0];
}

/** What is not known, one line each. */
function unknowns(
  costs: FoundCosts,
  projected: Projected,
  images: readonly ImagesLeft[],
  planned: readonly PlannedTrial[],
): string[] {
  const untimed = [...costs.configurations, ...costs.baselines]
    .filter(({ source, timed }) => source === null && left(timed) > 0)
    .map(({ timed }) => timed.label);
  const elsewhere = planned.filter(({ state }) => state === "running_elsewhere").length;
  const isUnknown = (part: string): boolean =>
    projected.parts.some((each) => each.part === part && each.time === undefined);
  if (costs.unprepared.length > 0) return ["all of it, since the dataset is not prepared yet"];
  return [
    ...(images.length > 0 ? ["decoding the images"] : []),
    ...(isUnknown("features") ? ["extracting the features"] : []),
    ...(untimed.length > 0 ? [`trials of ${namedSome(untimed)}`] : []),
    ...(isUnknown("other_splits") ? ["the evaluation on other splits"] : []),
    ...(isUnknown("report") ? ["the report"] : []),
    ...(elsewhere > 0 ? [`${counted(elsewhere, "trial")} in another process`] : []),
  ];
}
