import type {
  BaselineMeasurement,
  ClipRpnSpec,
  ReportMeasurement,
  SpeedMeasurement,
  Timing,
} from "../../contract/generated/types.ts";

/** How many trials of a configuration there are, and how much is left to do. */
export interface LeftTrials {
  label: string;
  num_trials: number;
  /** Those that need not run. */
  num_completed: number;
  /** Trials without answers on the other splits. */
  num_to_evaluate: number;
  /** Of trials that continue a checkpoint: the share of each that is left. */
  shares_left?: readonly number[];
}

/** Counts and sizes of a configuration that are known without measuring. */
type CountedKey =
  | "batch_size"
  | "num_train"
  | "num_val"
  | "num_views"
  | "map_bytes"
  | "sentence_bytes"
  | "features";

/** What is known about the cost of a configuration; all of it after `cliprpn preflight`. */
export type ConfigurationCost = Pick<SpeedMeasurement, CountedKey> &
  Partial<Omit<SpeedMeasurement, CountedKey>>;

/** What earlier trials took, scaled to the epochs and expressions of a configuration. */
export interface SeenTime {
  /** With the selection of epochs and the saving of models. */
  training: Timing;
  evaluation: Timing;
}

/** A configuration that trains a model. */
export interface TimedConfiguration extends LeftTrials {
  spec: ClipRpnSpec;
  measured: ConfigurationCost;
  /** Counts instead of what was measured. */
  seen?: SeenTime;
}

/** A baseline. */
export interface TimedBaseline extends LeftTrials {
  /** Undefined before `cliprpn preflight`. */
  measured?: BaselineMeasurement | undefined;
  /** What an earlier trial of it took; counts instead of what was measured. */
  seen?: Timing;
}

/** What is known, and what else decides the need of a sweep. */
export interface SweepCosts {
  configurations: readonly TimedConfiguration[];
  baselines: readonly TimedBaseline[];
  /** Undefined before `cliprpn preflight`. */
  report?: ReportMeasurement | undefined;
  /** Starting a worker. */
  start?: Timing | undefined;
  num_workers: number;
  num_configurations: number;
}

/** The number of trials that have to run. */
export function left({ num_trials, num_completed }: LeftTrials): number {
  return num_trials - num_completed;
}

/** What is left of each trial that has to run: 1 for a whole one. */
export function sharesLeft(each: LeftTrials): number[] {
  const resumed = each.shares_left ?? [];
  return [...resumed, ...Array.from({ length: left(each) - resumed.length }, () => 1)];
}
