import { count, counted } from "../base/format.ts";
import type {
  BaselineMeasurement,
  BaselineSplit,
  ClipRpnSpec,
  FeatureNeed,
  KeepModels,
  ProjectedPart,
  ReportMeasurement,
  SpeedMeasurement,
  SweepProjection,
  Timing,
} from "../contract/generated/types.ts";
import { keptBytes } from "../sweep/model-space.ts";
import { makespan, noTime, sum, times, total } from "./timing.ts";

/** How many trials of a configuration there are, and how much is left to do. */
export interface LeftTrials {
  label: string;
  num_trials: number;
  num_completed: number;
  /** Trials without answers on the other splits. */
  num_to_evaluate: number;
}

/** A configuration that trains a model. */
export interface TimedConfiguration extends LeftTrials {
  spec: ClipRpnSpec;
  measured: SpeedMeasurement;
}

/** A baseline. */
export interface TimedBaseline extends LeftTrials {
  measured: BaselineMeasurement;
}

/** What was measured, and what else decides the need of a sweep. */
export interface SweepMeasurements {
  configurations: readonly TimedConfiguration[];
  baselines: readonly TimedBaseline[];
  report: ReportMeasurement;
  /** Starting a worker. */
  start: Timing;
  num_workers: number;
  num_workers_timed: number;
  keep_models: KeepModels;
  /** Trials of the experiment, and those that are done. */
  num_trials: number;
  num_completed: number;
  num_configurations: number;
  not_projected: readonly string[];
}

/** Time, memory and disk space of the rest of a sweep, from what its parts take; pure. */
export function projectSweep(measured: SweepMeasurements): SweepProjection {
  const { configurations, baselines, num_workers } = measured;
  const waiting = configurations.filter(({ num_trials, num_completed }) => num_completed < num_trials);
  const features = missingFeatures(waiting);
  const works = baselineWorks(baselines);
  const trials = [
    ...configurations.flatMap((each) => Array.from({ length: left(each) }, () => trialTime(each))),
    ...works.trials,
  ];
  const otherSplits = total([
    ...configurations.map((each) =>
      times(each.measured.prediction, each.num_to_evaluate * each.measured.num_evaluated),
    ),
    works.others,
  ]);
  const isLeft = trials.length > 0 || otherSplits.ms > 0;
  const report = isLeft ? reportTime(measured) : noTime;
  const start = isLeft ? measured.start : noTime;
  return {
    num_trials: measured.num_trials,
    num_completed: measured.num_completed,
    num_workers,
    num_workers_timed: measured.num_workers_timed,
    parts: [
      part("start", "Python, torch and the worker", start),
      part("features", features.amount, features.time),
      ...trainingParts(waiting),
      part("baselines", counted(works.trials.length, "trial"), total(works.trials)),
      part("other_splits", otherSplitsAmount(configurations, baselines), otherSplits),
      part("report", counted(measured.num_configurations, "configuration"), report),
    ].filter(({ high_ms }) => high_ms > 0),
    total: total([start, features.time, makespan(trials, num_workers), otherSplits, report]),
    not_projected: [...measured.not_projected],
    features_bytes: features.bytes,
    baselines_bytes: works.bytes,
    models_bytes: keptBytes({
      keep_models: measured.keep_models,
      checkpoints: waiting.flatMap((each) =>
        Array.from({ length: left(each) }, () => each.measured.checkpoint_bytes),
      ),
    }),
    predictions_bytes: sum(
      [...configurations, ...baselines].map((each) => {
        const { prediction_bytes } = each.measured;
        return (left(each) * numVal(each) + each.num_to_evaluate * numOthers(each)) * prediction_bytes;
      }),
    ),
    ...memory(configurations, num_workers),
    configurations: configurations.map((each) => ({
      label: each.label,
      num_trials: each.num_trials,
      num_completed: each.num_completed,
      trial: trialTime(each),
      num_steps: stepsOf(each),
      step: each.measured.step,
    })),
  };
}

/** A trial: its steps, the selection of an epoch on val after each one, the saved models, and the evaluation on val. */
function trialTime(each: TimedConfiguration): Timing {
  return total([stepsTime(each), selectionTime(each), savingTime(each), evaluationTime(each)]);
}

function stepsTime(each: TimedConfiguration): Timing {
  return times(each.measured.step, stepsOf(each));
}

function stepsOf({ spec, measured: { num_train, batch_size } }: TimedConfiguration): number {
  return spec.settings.training.num_epochs * Math.ceil(num_train / batch_size);
}

function selectionTime({ spec, measured: { selection, num_val } }: TimedConfiguration): Timing {
  return times(selection, spec.settings.training.num_epochs * num_val);
}

/** A model is saved after each epoch that is the best so far, which may be the first one or every one, and after the last one. */
function savingTime({ spec, measured: { save } }: TimedConfiguration): Timing {
  const { num_epochs } = spec.settings.training;
  return {
    ms: (1 + num_epochs / 2) * save.ms,
    low_ms: 2 * save.low_ms,
    high_ms: (1 + num_epochs) * save.high_ms,
  };
}

function evaluationTime({ measured: { prediction, num_val } }: TimedConfiguration): Timing {
  return times(prediction, num_val);
}

function trainingParts(waiting: readonly TimedConfiguration[]): ProjectedPart[] {
  const num = sum(waiting.map(left));
  const trials = counted(num, "trial");
  const ofAll = (time: (each: TimedConfiguration) => Timing): Timing =>
    total(waiting.map((each) => times(time(each), left(each))));
  const epochs = sum(waiting.map((each) => left(each) * each.spec.settings.training.num_epochs));
  const steps = sum(waiting.map((each) => left(each) * stepsOf(each)));
  const numValOfAll = count(Math.max(0, ...waiting.map(numVal)));
  return [
    part("training", `${counted(steps, "step")} of ${trials}`, ofAll(stepsTime)),
    part("selection", `${counted(epochs, "epoch")} x ${numValOfAll} val expressions`, ofAll(selectionTime)),
    part("saving", `2 to ${count(epochs + num)} models`, ofAll(savingTime)),
    part("evaluation", `${trials} x ${numValOfAll} val expressions`, ofAll(evaluationTime)),
  ];
}

function part(name: ProjectedPart["part"], amount: string, timing: Timing): ProjectedPart {
  return { part: name, amount, ...timing };
}

/** The features to extract; trials with the same images and weights share them. */
function missingFeatures(waiting: readonly TimedConfiguration[]): {
  time: Timing;
  bytes: number;
  amount: string;
} {
  const images = new Map<string, Work>();
  const views = new Map<string, Work>();
  const texts = new Map<string, Work>();
  for (const { measured } of waiting)
    for (const need of measured.features) {
      const { map_bytes, sentence_bytes } = measured;
      if (!need.has_maps)
        keepLargest(images, need.maps_key, work(measured.image, need.num_images, map_bytes));
      if (!need.has_text)
        keepLargest(texts, need.text_key, work(measured.sentence, need.num_sentences, sentence_bytes));
      keepLargest(
        texts,
        `${need.text_key} mirrored`,
        work(measured.sentence, need.num_missing_mirrored, sentence_bytes),
      );
      const numViews = need.num_missing_views * need.num_view_images;
      keepLargest(views, need.maps_key, work(measured.view ?? noTime, numViews, map_bytes));
    }
  const works = [images, views, texts].map((each) => [...each.values()]);
  const [numImages = 0, numViews = 0, numTexts = 0] = works.map((each) => sum(each.map(({ num }) => num)));
  const all = works.flat();
  return {
    time: total(all.map(({ time }) => time)),
    bytes: sum(all.map(({ bytes }) => bytes)),
    amount: `${counted(numImages + numViews, "image")}, ${counted(numTexts, "expression")}`,
  };
}

interface Work {
  num: number;
  time: Timing;
  bytes: number;
}

function work(unit: Timing, num: number, bytes: number): Work {
  return { num, time: times(unit, num), bytes: num * bytes };
}

/** Those who share a store extract the most that one of them needs. */
function keepLargest(works: Map<string, Work>, key: string, next: Work): void {
  if (next.num > (works.get(key)?.num ?? 0)) works.set(key, next);
}

/** The trials of baselines in their order; the first one that needs a detection or an embedding pays for it. */
function baselineWorks(baselines: readonly TimedBaseline[]): {
  trials: Timing[];
  others: Timing;
  bytes: number;
} {
  const done = new Set<string>();
  let bytes = 0;
  const answer = ({ shared, sentence }: BaselineMeasurement, split: BaselineSplit): Timing =>
    total([
      times(sentence, split.num_sentences),
      ...shared.flatMap(({ key, image, image_bytes, may_be_cached }) => {
        const place = `${key} ${split.key}`;
        if (done.has(place)) return [];
        done.add(place);
        bytes += image_bytes * split.num_images;
        const time = times(image, split.num_images);
        return [may_be_cached ? { ...time, low_ms: 0 } : time];
      }),
    ]);
  const trials = baselines.flatMap((each) =>
    Array.from({ length: left(each) }, () => answer(each.measured, each.measured.val)),
  );
  const others = baselines.flatMap(({ measured, num_to_evaluate }) =>
    Array.from({ length: num_to_evaluate }, () =>
      total(measured.others.map((split) => answer(measured, split))),
    ),
  );
  return { trials, others: total(others), bytes };
}

function otherSplitsAmount(
  configurations: readonly TimedConfiguration[],
  baselines: readonly TimedBaseline[],
): string {
  const all = [...configurations, ...baselines];
  const trials = counted(sum(all.map(({ num_to_evaluate }) => num_to_evaluate)), "trial");
  return `${trials} x ${counted(Math.max(0, ...all.map(numOthers)), "expression")}`;
}

function reportTime({ report, num_configurations }: SweepMeasurements): Timing {
  const { first, another, splits } = report;
  return total([
    first,
    times(another, Math.max(0, num_configurations - 1)),
    // Measured with two configurations.
    splits === null ? noTime : times(splits, Math.max(1, num_configurations / 2)),
  ]);
}

function memory(
  configurations: readonly TimedConfiguration[],
  numWorkers: number,
): Pick<SweepProjection, "process_memory_bytes" | "file_cache_bytes" | "device_memory_bytes"> {
  const all = configurations.map(({ measured }) => measured);
  const onDevice = all.flatMap(({ peak_memory_bytes: { device }, resident_bytes }) =>
    device === null ? [] : [device + resident_bytes],
  );
  return {
    process_memory_bytes: numWorkers * Math.max(0, ...all.map((each) => each.peak_memory_bytes.process)),
    file_cache_bytes: Math.max(0, ...all.map((each) => trainingBytes(each) - each.resident_bytes)),
    device_memory_bytes: onDevice.length === 0 ? null : numWorkers * Math.max(...onDevice),
  };
}

/** The features of the dataset to train on. */
function trainingBytes({ features: [own], map_bytes, sentence_bytes, num_views }: SpeedMeasurement): number {
  const { num_images, num_view_images, num_sentences }: FeatureNeed = own;
  return map_bytes * (num_images + num_views * num_view_images) + sentence_bytes * num_sentences;
}

function left({ num_trials, num_completed }: LeftTrials): number {
  return num_trials - num_completed;
}

function numVal({ measured }: TimedConfiguration | TimedBaseline): number {
  return "val" in measured ? measured.val.num_sentences : measured.num_val;
}

function numOthers({ measured }: TimedConfiguration | TimedBaseline): number {
  return "others" in measured
    ? sum(measured.others.map(({ num_sentences }) => num_sentences))
    : measured.num_evaluated;
}
