import type {
  ClipRpnSpec,
  KeepModels,
  SpeedMeasurement,
  SweepProjection,
} from "../contract/generated/types.ts";
import { keptBytes } from "../sweep/model-space.ts";

/** A configuration whose parts were timed, with its trials. */
export interface TimedConfiguration {
  label: string;
  spec: ClipRpnSpec;
  measured: SpeedMeasurement;
  num_trials: number;
  num_completed: number;
}

/** What else decides the need of a sweep. */
export interface SweepFacts {
  num_baselines: number;
  num_workers: number;
  keep_models: KeepModels;
}

/** Time, memory and disk space of all trials, from what their parts take; pure. */
export function projectSweep(
  configurations: readonly TimedConfiguration[],
  { num_baselines, num_workers, keep_models }: SweepFacts,
): SweepProjection {
  const projected = configurations.map(({ label, spec, measured, num_trials, num_completed }) => {
    const num_steps = stepsOf(spec, measured);
    const { step_ms } = measured;
    return { label, num_trials, num_completed, trial_ms: trialMs(spec, measured), num_steps, step_ms };
  });
  const waiting = configurations.filter((each) => each.num_completed < each.num_trials);
  const features = missingFeatures(waiting.map(({ measured }) => measured));
  const trials_ms = sum(
    projected.map(({ trial_ms, num_trials, num_completed }) => (num_trials - num_completed) * trial_ms),
  );
  const checkpoints = waiting.flatMap(({ measured, num_trials, num_completed }) =>
    Array.from({ length: num_trials - num_completed }, () => measured.checkpoint_bytes),
  );
  const all = configurations.map(({ measured }) => measured);
  const onDevice = all.flatMap(({ peak_memory_bytes: { device }, resident_bytes }) =>
    device === null ? [] : [device + resident_bytes],
  );
  return {
    num_trials: sum(projected.map(({ num_trials }) => num_trials)),
    num_completed: sum(projected.map(({ num_completed }) => num_completed)),
    num_baselines,
    num_workers,
    features_ms: features.ms,
    trials_ms,
    total_ms: features.ms + trials_ms / num_workers,
    features_bytes: features.bytes,
    models_bytes: keptBytes({ keep_models, checkpoints }),
    process_memory_bytes:
      num_workers * Math.max(0, ...all.map(({ peak_memory_bytes }) => peak_memory_bytes.process)),
    device_memory_bytes: onDevice.length === 0 ? null : num_workers * Math.max(...onDevice),
    configurations: projected,
  };
}

/** A trial: its steps, the selection of an epoch on val after each one, and the evaluation on val. */
function trialMs(spec: ClipRpnSpec, measured: SpeedMeasurement): number {
  const { num_val, step_ms, selection_ms, prediction_ms } = measured;
  const { num_epochs } = spec.settings.training;
  return stepsOf(spec, measured) * step_ms + num_epochs * num_val * selection_ms + num_val * prediction_ms;
}

function stepsOf(spec: ClipRpnSpec, { num_train, batch_size }: SpeedMeasurement): number {
  return spec.settings.training.num_epochs * Math.ceil(num_train / batch_size);
}

/** The features to extract; trials with the same images and weights share them. */
function missingFeatures(measured: readonly SpeedMeasurement[]): { ms: number; bytes: number } {
  const parts = new Map<string, { ms: number; bytes: number }>();
  for (const each of measured) {
    const { num_images, num_sentences, num_train_images } = each;
    if (!each.has_maps)
      parts.set(each.maps_key, { ms: num_images * each.image_ms, bytes: num_images * each.map_bytes });
    if (!each.has_text)
      parts.set(each.text_key, {
        ms: num_sentences * each.sentence_ms,
        bytes: num_sentences * each.sentence_bytes,
      });
    const views = each.num_missing_views * num_train_images;
    const key = `${each.maps_key} views`;
    const bytes = Math.max(views * each.map_bytes, parts.get(key)?.bytes ?? 0);
    if (views > 0 && bytes === views * each.map_bytes)
      parts.set(key, { ms: views * (each.view_ms ?? 0), bytes });
  }
  const values = [...parts.values()];
  return { ms: sum(values.map(({ ms }) => ms)), bytes: sum(values.map(({ bytes }) => bytes)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
