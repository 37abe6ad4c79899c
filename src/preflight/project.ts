import type {
  BaselineMeasurement,
  DiskPart,
  FeatureNeed,
  KeepModels,
  ReportMeasurement,
  SpeedMeasurement,
  SweepProjection,
  Timing,
} from "../contract/generated/types.ts";
import { left, type TimedBaseline, type TimedConfiguration } from "../sweep/estimate/costs.ts";
import { keptBytes } from "../sweep/estimate/model-space.ts";
import { numOthers, numVal, project, stepsOf, trialTime } from "../sweep/estimate/project.ts";
import { noTime, sum } from "../sweep/estimate/timing.ts";

/** A configuration that trains a model, with all that was measured. */
export interface MeasuredConfiguration extends TimedConfiguration {
  measured: SpeedMeasurement;
}

/** A baseline, with all that was measured. */
export interface MeasuredBaseline extends TimedBaseline {
  measured: BaselineMeasurement;
}

/** What was measured, and what else decides the need of a sweep. */
export interface SweepMeasurements {
  configurations: readonly MeasuredConfiguration[];
  baselines: readonly MeasuredBaseline[];
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
  /** The files that the sweep will write. */
  disk_parts: readonly DiskPart[];
  /** Measurements of an earlier preflight that are used, and when the oldest of them was made. */
  num_reused: number;
  measured_at: string | undefined;
}

/** True if preflight has measured it, now or earlier. */
export function isMeasuredConfiguration(timed: TimedConfiguration): timed is MeasuredConfiguration {
  return timed.measured.step !== undefined;
}

/** The same. */
export function isMeasuredBaseline<Timed extends TimedBaseline>(
  timed: Timed,
): timed is Timed & MeasuredBaseline {
  return timed.measured !== undefined;
}

/** Time, memory and disk space of the rest of a sweep, from what its parts take; pure. */
export function projectSweep(measured: SweepMeasurements): SweepProjection {
  const { configurations, baselines, num_workers } = measured;
  const { parts, total, features, baselines: works } = project(measured);
  const waiting = configurations.filter((each) => left(each) > 0);
  return {
    num_trials: measured.num_trials,
    num_completed: measured.num_completed,
    num_workers,
    num_workers_timed: measured.num_workers_timed,
    parts: parts.map(({ time, ...part }) => ({ ...part, ...(time ?? noTime) })),
    total: total ?? noTime, // All of it was measured.
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
      trial: trialTime(each) ?? noTime,
      num_steps: stepsOf(each),
      step: each.measured.step,
    })),
  };
}

function memory(
  configurations: readonly MeasuredConfiguration[],
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
