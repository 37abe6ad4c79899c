import type { Report } from "../../contract/generated/types.ts";

/** What a configuration costs, a mean over its trials; memory is the maximum. */
export interface SettingCost {
  num_trainable_parameters: number;
  training_hours: number;
  /** With the preparation and the evaluation. */
  trial_hours: number;
  peak_memory_gb: number;
}

/** Undefined if no trial of the configuration is complete. */
export function costOf({ settings }: Report, label: string): SettingCost | undefined {
  const trials = settings.find((setting) => setting.label === label)?.trials ?? [];
  const known = trials.flatMap(({ num_trainable_parameters: parameters, durations_ms, peak_memory_bytes }) =>
    parameters === null || durations_ms === null || peak_memory_bytes === null
      ? []
      : [{ parameters, durations_ms, peak_memory_bytes }],
  );
  if (known.length === 0) return undefined;
  return {
    num_trainable_parameters: Math.round(mean(known.map(({ parameters }) => parameters))),
    training_hours: mean(known.map(({ durations_ms }) => durations_ms.training)) / msPerHour,
    trial_hours: mean(known.map(({ durations_ms }) => durations_ms.total)) / msPerHour,
    peak_memory_gb: Math.max(...known.map(({ peak_memory_bytes }) => peak_memory_bytes.process)) / 1e9,
  };
}

export const msPerHour = 3_600_000;

/** 0 without values. */
export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
