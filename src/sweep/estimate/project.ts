import { count, counted } from "../../base/format.ts";
import type {
  BaselineMeasurement,
  EstimatedPart,
  SpeedMeasurement,
  SweepPart,
  Timing,
} from "../../contract/generated/types.ts";
import {
  type ConfigurationCost,
  left,
  type SweepCosts,
  sharesLeft,
  type TimedBaseline,
  type TimedConfiguration,
} from "./costs.ts";
import { type BaselineWorks, baselineWorks, type FeatureWorks, missingFeatures } from "./shared-works.ts";
import { makespan, noTime, sum, times, timesOf, total, totalOf } from "./timing.ts";

/** What the rest of a sweep takes; undefined where it is not known. */
export interface Projected {
  parts: (Omit<EstimatedPart, "time"> & { time: Timing | undefined })[];
  /** The whole command. */
  total: Timing | undefined;
  /** The trials with their features. */
  trials: Timing | undefined;
  features: FeatureWorks;
  baselines: BaselineWorks;
}

/** The time of the rest of a sweep, from what its parts take; pure. */
export function project(costs: SweepCosts): Projected {
  const { configurations, baselines, num_workers } = costs;
  const waiting = configurations.filter((each) => left(each) > 0);
  const features = missingFeatures(waiting);
  const works = baselineWorks(baselines);
  const each = [
    ...waiting.flatMap((configuration) => {
      const time = trialTime(configuration);
      return sharesLeft(configuration).map((share) => timesOf(time, share));
    }),
    ...works.trials,
  ];
  const known = each.filter((time) => time !== undefined);
  const trials =
    known.length < each.length ? undefined : totalOf([features.time, makespan(known, num_workers)]);
  const otherSplits = totalOf([...configurations.map(otherSplitsTime), works.others]);
  const isLeft = each.length > 0 || otherSplits === undefined || otherSplits.ms > 0;
  const start = isLeft ? costs.start : noTime;
  const report = isLeft ? reportTime(costs) : noTime;
  const parts = [
    part("start", "Python, torch and the worker", start),
    part("features", features.amount, features.time),
    ...trainingParts(waiting),
    part("baselines", counted(works.trials.length, "trial"), totalOf(works.trials)),
    part("other_splits", otherSplitsAmount(configurations, baselines), otherSplits),
    part("report", counted(costs.num_configurations, "configuration"), report),
  ].filter(({ time }) => time === undefined || time.high_ms > 0);
  return {
    parts,
    total: totalOf([start, trials, otherSplits, report]),
    trials,
    features,
    baselines: works,
  };
}

/** A trial: its steps, the selection of an epoch on val after each one, the saved models, and the evaluation on val. */
export function trialTime(each: TimedConfiguration): Timing | undefined {
  return totalOf([stepsTime(each), selectionTime(each), savingTime(each), evaluationTime(each)]);
}

function stepsTime(each: TimedConfiguration): Timing | undefined {
  return each.seen?.training ?? timesOf(each.measured.step, stepsOf(each));
}

export function stepsOf({ spec, measured: { num_train, batch_size } }: TimedConfiguration): number {
  return spec.settings.training.num_epochs * Math.ceil(num_train / batch_size);
}

function selectionTime({
  spec,
  seen,
  measured: { selection, num_val },
}: TimedConfiguration): Timing | undefined {
  return seen === undefined ? timesOf(selection, spec.settings.training.num_epochs * num_val) : noTime;
}

/** A model is saved after each epoch that is the best so far, which may be the first one or every one, and after the last one. */
function savingTime({ spec, seen, measured: { save } }: TimedConfiguration): Timing | undefined {
  if (seen !== undefined) return noTime;
  if (save === undefined) return undefined;
  const { num_epochs } = spec.settings.training;
  return {
    ms: (1 + num_epochs / 2) * save.ms,
    low_ms: 2 * save.low_ms,
    high_ms: (1 + num_epochs) * save.high_ms,
  };
}

function evaluationTime({ seen, measured: { prediction, num_val } }: TimedConfiguration): Timing | undefined {
  return seen?.evaluation ?? timesOf(prediction, num_val);
}

/** The evaluation of trials on other splits; an expression there takes as long as one of val. */
function otherSplitsTime(each: TimedConfiguration): Timing | undefined {
  const { seen, num_to_evaluate, measured } = each;
  if (num_to_evaluate === 0) return noTime;
  if (measured.num_evaluated === undefined) return undefined;
  const num = num_to_evaluate * measured.num_evaluated;
  const unit =
    seen === undefined ? measured.prediction : times(seen.evaluation, 1 / Math.max(1, measured.num_val));
  return timesOf(unit, num);
}

function trainingParts(waiting: readonly TimedConfiguration[]): Projected["parts"] {
  const num = sum(waiting.map(left));
  const trials = counted(num, "trial");
  const ofAll = (time: (each: TimedConfiguration) => Timing | undefined): Timing | undefined =>
    totalOf(waiting.map((each) => timesOf(time(each), sum(sharesLeft(each)))));
  const epochs = sum(waiting.map((each) => left(each) * each.spec.settings.training.num_epochs));
  const steps = sum(waiting.map((each) => left(each) * stepsOf(each)));
  const numValOfAll = count(largest(waiting.map(numVal)));
  return [
    part("training", `${counted(steps, "step")} of ${trials}`, ofAll(stepsTime)),
    part("selection", `${counted(epochs, "epoch")} x ${numValOfAll} val expressions`, ofAll(selectionTime)),
    part("saving", `2 to ${count(epochs + num)} models`, ofAll(savingTime)),
    part("evaluation", `${trials} x ${numValOfAll} val expressions`, ofAll(evaluationTime)),
  ];
}

function part(name: SweepPart, amount: string, time: Timing | undefined): Projected["parts"][number] {
  return { part: name, amount, time };
}

function otherSplitsAmount(
  configurations: readonly TimedConfiguration[],
  baselines: readonly TimedBaseline[],
): string {
  const all = [...configurations, ...baselines];
  const trials = counted(sum(all.map(({ num_to_evaluate }) => num_to_evaluate)), "trial");
  const nums = all.filter((each) => each.num_to_evaluate > 0).map(numOthers);
  const known = nums.filter((num) => num !== undefined);
  return known.length < nums.length ? trials : `${trials} x ${counted(largest(known), "expression")}`;
}

function reportTime({ report, num_configurations }: SweepCosts): Timing | undefined {
  if (report === undefined) return undefined;
  const { first, another, splits } = report;
  return total([
    first,
    times(another, Math.max(0, num_configurations - 1)),
    // Measured with two configurations.
    splits === null ? noTime : times(splits, Math.max(1, num_configurations / 2)),
  ]);
}

/** Expressions of val that a trial answers; 0 for a baseline of which nothing is known. */
export function numVal({ measured }: TimedConfiguration | TimedBaseline): number {
  if (measured === undefined) return 0;
  return "val" in measured ? measured.val.num_sentences : measured.num_val;
}

/** Expressions of the other splits; undefined if one of their datasets is not prepared. */
export function numOthers(each: { measured: SpeedMeasurement | BaselineMeasurement }): number;
export function numOthers(each: TimedConfiguration | TimedBaseline): number | undefined;
export function numOthers({
  measured,
}: {
  measured?: ConfigurationCost | BaselineMeasurement | undefined;
}): number | undefined {
  if (measured === undefined) return 0;
  return "others" in measured
    ? sum(measured.others.map(({ num_sentences }) => num_sentences))
    : measured.num_evaluated;
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
