import type { Limits, TrialIdentity, TrialSpec } from "../../contract/generated/types.ts";
import { trialIdentityOf } from "../../contract/trial-identity.ts";

/** What decides the time of a trial on a machine, from the most exact to the most general. */
export interface CostKeys {
  /** All but the seed, and settings that cost no time or scale it: epochs, learning rate. */
  same_trials: string;
  /** The same on other data. */
  other_data: string;
  /** The same kind, preset, threads, sizes and backbone. */
  other_settings: string;
}

/** @param preset null for a baseline. */
export function costKeys(trial: TrialIdentity, preset: string | null): CostKeys {
  const { kind, num_threads, backbone, dataset } = trial;
  const common = [kind, num_threads, backbone.name];
  if (trial.kind === "baseline") {
    const other_data = JSON.stringify([...common, trial.baseline]);
    // Detectors differ too much.
    return {
      same_trials: sameData(other_data, dataset.id, trial.limits),
      other_data,
      other_settings: other_data,
    };
  }
  const { limits, training, ...settings } = trial.settings;
  const { num_epochs: _, learning_rate: __, ...trained } = training;
  const other_data = JSON.stringify([...common, settings, trained]);
  const { image_size_px, frame_size_px } = settings;
  const { batch_size, views, precision } = training;
  return {
    same_trials: sameData(other_data, dataset.id, limits),
    other_data,
    other_settings: JSON.stringify([
      ...common,
      preset,
      image_size_px,
      frame_size_px,
      batch_size,
      views > 0,
      precision,
    ]),
  };
}

export function costKeysOf(spec: TrialSpec): CostKeys {
  return costKeys(trialIdentityOf(spec), spec.kind === "cliprpn" ? spec.preset : null);
}

/** The same for the trials of a sweep: those of a configuration differ by their seed only. */
export function keysByLabel(): typeof costKeysOf {
  const known = new Map<string, CostKeys>();
  return (spec) => {
    const keys = known.get(spec.label) ?? costKeysOf(spec);
    known.set(spec.label, keys);
    return keys;
  };
}

function sameData(key: string, dataset_id: string, { train, val }: Limits): string {
  return `${key} ${dataset_id} ${train} ${val}`;
}
