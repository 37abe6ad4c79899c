import { groupBy } from "../../base/group-by.ts";
import type { EstimateBasis, Timing } from "../../contract/generated/types.ts";
import type { CostKeys } from "./cost-keys.ts";
import type { SeenTime } from "./costs.ts";
import type { SeenTrial } from "./seen-trials.ts";
import { sum, times, timingOf } from "./timing.ts";

export type SeenSource = Exclude<EstimateBasis["source"], "preflight" | null>;

/** Earlier trials that are like a configuration. */
export interface LikeTrials {
  source: SeenSource;
  trials: readonly SeenTrial[];
}

/** How much a trial does. */
export interface TrialWork {
  num_epochs: number;
  num_train: number;
  num_val: number;
}

/** Earlier trials by what they are like. */
export class SeenTrials {
  readonly #by: Record<SeenSource, Map<string, [SeenTrial, ...SeenTrial[]]>>;
  /** Of all of them. */
  readonly spread: Spread | undefined;

  constructor(seen: readonly SeenTrial[]) {
    const by = (source: SeenSource): Map<string, [SeenTrial, ...SeenTrial[]]> =>
      groupBy(seen, ({ keys }) => keys[source]);
    this.#by = {
      same_trials: by("same_trials"),
      other_data: by("other_data"),
      other_settings: by("other_settings"),
    };
    this.spread = spreadOf(this.#by.same_trials.values());
  }

  /** Those that are most like a configuration. @param sources that count, the best first. */
  like(keys: CostKeys, sources: readonly SeenSource[]): LikeTrials | undefined {
    for (const source of sources) {
      const trials = this.#by[source].get(keys[source]);
      if (trials !== undefined) return { source, trials };
    }
    return undefined;
  }
}

/** The time of a trial that trains, in proportion to its epochs and expressions; undefined if none of these trained. */
export function seenTime(
  { trials }: LikeTrials,
  { num_epochs, num_train, num_val }: TrialWork,
  spread: Spread | undefined,
): SeenTime | undefined {
  const unit = (values: number[]): Timing | undefined => withSpread(timingOf(values), values.length, spread);
  const training = unit(trials.flatMap(({ training_ms }) => training_ms ?? []));
  const evaluation = unit(trials.map(({ evaluation_ms }) => evaluation_ms));
  if (training === undefined || evaluation === undefined) return undefined;
  return { training: times(training, num_epochs * num_train), evaluation: times(evaluation, num_val) };
}

/** The time of a baseline: of the whole trial on the same data, else in proportion to the expressions that it answers. */
export function seenBaselineTime(
  { source, trials }: LikeTrials,
  num_val: number,
  spread: Spread | undefined,
): Timing | undefined {
  const values = trials.map(({ total_ms, evaluation_ms }) =>
    source === "same_trials" ? total_ms : evaluation_ms * num_val,
  );
  return withSpread(timingOf(values), values.length, spread);
}

/** The fastest and the slowest of trials of one configuration, relative to their mean. */
export interface Spread {
  low: number;
  high: number;
}

/** The spread of all configurations that have at least two trials; undefined if none has. */
function spreadOf(groups: Iterable<readonly SeenTrial[]>): Spread | undefined {
  const ratios = [...groups].flatMap((trials) => {
    const values = trials.map(({ training_ms, total_ms }) => training_ms ?? total_ms);
    const mean = sum(values) / values.length;
    return values.length < 2 || mean === 0 ? [] : values.map((value) => value / mean);
  });
  const timing = timingOf(ratios);
  return timing && { low: timing.low_ms, high: timing.high_ms };
}

/** One trial has no spread of its own: that of the others counts. */
function withSpread(
  timing: Timing | undefined,
  numTrials: number,
  spread: Spread | undefined,
): Timing | undefined {
  if (timing === undefined || numTrials > 1 || spread === undefined) return timing;
  return { ms: timing.ms, low_ms: timing.ms * spread.low, high_ms: timing.ms * spread.high };
}
