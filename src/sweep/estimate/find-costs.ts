import { groupBy } from "../../base/group-by.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  EstimateBasis,
  FeatureNeed,
  SpeedMeasurement,
  StoredMeasurement,
} from "../../contract/generated/types.ts";
import type { EvaluationTarget } from "../predict-on.ts";
import type { TrialStatus } from "../resume.ts";
import type { CostKeys, costKeysOf } from "./cost-keys.ts";
import type { ConfigurationCost, SweepCosts, TimedBaseline, TimedConfiguration } from "./costs.ts";
import type { DatasetCounts } from "./dataset-counts.ts";
import { kindOf } from "./device.ts";
import { featureBytes, featureNeed } from "./feature-needs.ts";
import { leftTrials, runs } from "./left-trials.ts";
import {
  hasMeasurements,
  type MeasuredOn,
  measurementKey,
  mostSeeds,
  numSlotsHere,
  readMeasurement,
  reportKey,
} from "./measurements.ts";
import type { PlannedTrial } from "./planned-trials.ts";
import { trialTime } from "./project.ts";
import type { SeenTrial } from "./seen-trials.ts";
import { sum } from "./timing.ts";
import { type LikeTrials, type SeenSource, SeenTrials, seenBaselineTime, seenTime } from "./trial-time.ts";

/** What costs are found from. */
export interface CostSearch {
  planned: readonly PlannedTrial[];
  statuses: ReadonlyMap<string, TrialStatus>;
  targets: readonly EvaluationTarget[];
  runsDir: string;
  /** What preflight has measured on this machine is looked up in its cache. */
  on: MeasuredOn;
  seen: readonly SeenTrial[];
  keysOf: typeof costKeysOf;
  counts: DatasetCounts;
  /** Size of one saved model, by trial id, where Python has told it. */
  checkpoints?: ReadonlyMap<string, number> | undefined;
}

/** A configuration, or baseline, and where its time comes from. */
export interface FoundCost<Timed> {
  timed: Timed;
  source: EstimateBasis["source"];
  num_seen: number;
  seen_at_once?: number | null;
}

export interface FoundCosts extends Omit<SweepCosts, "configurations" | "baselines"> {
  configurations: FoundCost<TimedConfiguration>[];
  baselines: FoundCost<TimedBaseline & { spec: BaselineSpec }>[];
  /** Configurations whose dataset is not prepared: not even their numbers of expressions are known. */
  unprepared: ClipRpnSpec[];
}

/** Without where the times come from. */
export function timedOf(costs: FoundCosts): SweepCosts {
  return {
    ...costs,
    configurations: costs.configurations.map(({ timed }) => timed),
    baselines: costs.baselines.map(({ timed }) => timed),
  };
}

/** What is known about the costs of a sweep: from earlier trials of its configurations, preflight, or trials that are like them. */
export function findCosts(asked: CostSearch): FoundCosts {
  const { planned, targets, statuses, runsDir, on } = asked;
  const seen = new SeenTrials(asked.seen, numSlotsHere(on));
  const search = { ...asked, known: new Map(), isMeasured: hasMeasurements(on.cacheDir) };
  const configurations: FoundCosts["configurations"] = [];
  const baselines: FoundCosts["baselines"] = [];
  const unprepared: FoundCosts["unprepared"] = [];
  const groups = groupBy(planned, ({ spec }) => spec.label);
  for (const trials of groups.values()) {
    const { spec } = trials.find(runs) ?? trials[0]; // Of those that run, Python has told the size.
    const left = leftTrials(trials, targets, statuses, runsDir);
    if (spec.kind === "baseline") {
      baselines.push(baselineCost(spec, left, search, seen));
      continue;
    }
    const found = configurationCost(spec, left, search, seen);
    if (found === undefined) unprepared.push(spec);
    else configurations.push(withResumed(found, trials));
  }
  const specs = planned.map(({ spec }) => spec);
  const report = readMeasurement(on.cacheDir, reportKey(specs, mostSeeds(specs), on));
  return {
    configurations,
    baselines,
    unprepared,
    report: report?.report,
    start: report?.start,
    num_workers: on.numSlots,
    num_configurations: groups.size,
  };
}

interface Search extends CostSearch {
  /** Needs of features that were looked up: configurations share them. */
  known: Map<string, FeatureNeed | undefined>;
  /** Whether a preflight has measured anything here. */
  isMeasured: boolean;
}

/** Undefined if the dataset is not prepared. */
function configurationCost(
  spec: ClipRpnSpec,
  left: ReturnType<typeof leftTrials>,
  search: Search,
  seen: SeenTrials,
): FoundCost<TimedConfiguration> | undefined {
  const { counts } = search;
  const { dataset, settings } = spec;
  const num_train = counts.expressions(dataset.root, "train", settings.limits.train);
  const num_val = counts.expressions(dataset.root, "val", settings.limits.val);
  if (num_train === undefined || num_val === undefined) return undefined;
  const keys = search.keysOf(spec);
  const stored = measurementOf(spec, keys, search)?.speed;
  const isMeasured = stored !== undefined;
  const like = seen.like(keys, sourcesWith(isMeasured), isMeasured);
  const num_evaluated = numEvaluated(spec, search.targets, counts);
  const work = { num_epochs: settings.training.num_epochs, num_train, num_val };
  const time = like && seenTime(like, work, seen);
  const cost: ConfigurationCost = {
    ...featureBytes(spec),
    ...withoutCount(stored),
    batch_size: settings.training.batch_size,
    num_train,
    num_val,
    ...(num_evaluated === undefined ? {} : { num_evaluated }),
    num_views: settings.training.views,
    features: featuresOf(spec, search, stored),
    ...sizesOf(spec, search, like, stored),
  };
  return {
    timed: { ...left, spec, measured: cost, ...(time === undefined ? {} : { seen: time }) },
    source:
      time !== undefined && like !== undefined ? like.source : stored === undefined ? null : "preflight",
    ...numSeen(time === undefined ? undefined : like),
  };
}

function measurementOf(
  spec: ClipRpnSpec | BaselineSpec,
  keys: CostKeys,
  { on, isMeasured }: Pick<Search, "on" | "isMeasured">,
): StoredMeasurement | undefined {
  return isMeasured ? readMeasurement(on.cacheDir, measurementKey(spec, on, keys)) : undefined;
}

function numSeen(like: LikeTrials | undefined): Pick<FoundCost<unknown>, "num_seen" | "seen_at_once"> {
  if (like === undefined) return { num_seen: 0 };
  const { trials, at_once } = like;
  return { num_seen: trials.length, ...(at_once === undefined ? {} : { seen_at_once: at_once }) };
}

/** Trials of the same configuration on the same data count before preflight, others only without it. */
function sourcesWith(isMeasured: boolean): SeenSource[] {
  return isMeasured ? ["same_trials"] : ["same_trials", "other_data", "other_settings"];
}

function sizesOf(
  spec: ClipRpnSpec,
  { checkpoints }: CostSearch,
  like: LikeTrials | undefined,
  stored: SpeedMeasurement | undefined,
): Pick<ConfigurationCost, "checkpoint_bytes" | "prediction_bytes"> {
  // Other settings may have larger models.
  const models = like?.source === "other_settings" ? [] : (like?.trials ?? []);
  const checkpoint_bytes =
    checkpoints?.get(spec.trial_id) ??
    models.find(({ model_bytes }) => model_bytes !== null)?.model_bytes ??
    stored?.checkpoint_bytes;
  const prediction_bytes = like?.trials[0]?.prediction_bytes ?? stored?.prediction_bytes;
  return {
    ...(checkpoint_bytes === undefined ? {} : { checkpoint_bytes }),
    ...(prediction_bytes === undefined ? {} : { prediction_bytes }),
  };
}

/** Of the trial's dataset, then of others that it is evaluated on. */
function featuresOf(
  spec: ClipRpnSpec,
  { targets, counts, on, known }: Search,
  stored: SpeedMeasurement | undefined,
): ConfigurationCost["features"] {
  const others = targets.map(({ dataset }) => dataset).filter(({ id }) => id !== spec.dataset.id);
  const datasets = new Map([spec.dataset, ...others].map((dataset) => [dataset.id, dataset]));
  const place = { cacheDir: on.cacheDir, deviceKind: kindOf(on.device), counts, known };
  const needs = [...datasets.values()].flatMap(
    (dataset) => featureNeed(spec, dataset, dataset.id === spec.dataset.id, place, stored?.features) ?? [],
  );
  return needs as ConfigurationCost["features"]; // The own dataset is prepared.
}

/** Expressions of the other splits; undefined if one of their datasets is not prepared. */
function numEvaluated(
  { dataset, settings }: ClipRpnSpec,
  targets: readonly EvaluationTarget[],
  counts: DatasetCounts,
): number | undefined {
  const nums = targets.map((target) => {
    const limit = limitOf(settings.limits, target.split);
    const isOwn = target.dataset.id === dataset.id;
    return counts.expressions(target.dataset.root, target.split, isOwn ? limit : null);
  });
  const known = nums.filter((num) => num !== undefined);
  return known.length < nums.length ? undefined : sum(known);
}

/** That of the splits may have changed since it was measured. */
function withoutCount(
  stored: SpeedMeasurement | undefined,
): Partial<Omit<SpeedMeasurement, "num_evaluated">> {
  const { num_evaluated: _, ...others } = stored ?? {};
  return others;
}

/** testA and testB use the limit of test. */
export function limitOf(
  limits: ClipRpnSpec["settings"]["limits"],
  split: EvaluationTarget["split"],
): number | null {
  return split === "train" || split === "val" ? limits[split] : limits.test;
}

/** What is left of trials that continue a checkpoint: it has some of the training, and none of the evaluation. */
function withResumed(
  found: FoundCost<TimedConfiguration>,
  trials: readonly PlannedTrial[],
): FoundCost<TimedConfiguration> {
  const resumed = trials.filter((trial) => trial.state === "resumes");
  const whole = trialTime(found.timed)?.ms;
  if (resumed.length === 0 || whole === undefined || whole === 0) return found;
  const { seen, measured } = found.timed;
  const evaluation = seen?.evaluation.ms ?? (measured.prediction?.ms ?? 0) * measured.num_val;
  const shares_left = resumed.map(({ worked_ms }) => Math.max(evaluation, whole - worked_ms) / whole);
  return { ...found, timed: { ...found.timed, shares_left } };
}

function baselineCost(
  spec: BaselineSpec,
  left: ReturnType<typeof leftTrials>,
  search: Search,
  seen: SeenTrials,
): FoundCost<TimedBaseline & { spec: BaselineSpec }> {
  const keys = search.keysOf(spec);
  const measured = measurementOf(spec, keys, search)?.baseline;
  // On other data, its detections are not in the cache.
  const like = seen.like(keys, ["same_trials"], measured !== undefined);
  const numVal = search.counts.expressions(spec.dataset.root, "val", spec.limits.val) ?? 0;
  const time = like && seenBaselineTime(like, numVal, seen);
  return {
    timed: { ...left, spec, measured, ...(time === undefined ? {} : { seen: time }) },
    source: time !== undefined ? "same_trials" : measured === undefined ? null : "preflight",
    ...numSeen(time === undefined ? undefined : like),
  };
}
