import { groupBy } from "../../base/group-by.ts";
import type { EstimateBasis, Timing } from "../../contract/generated/types.ts";
import type { CostKeys } from "./cost-keys.ts";
import type { SeenTime } from "./costs.ts";
import { isLike } from "./running-at-once.ts";
import type { SeenTrial } from "./seen-trials.ts";
import { sum, times, timingOf } from "./timing.ts";

export type SeenSource = Exclude<EstimateBasis["source"], "preflight" | null>;

/** Earlier trials that are like a configuration. */
export interface LikeTrials {
  source: SeenSource;
  trials: readonly SeenTrial[];
  /** How many ran at the same time as these, if that is another number than slots will; null if nobody knows. */
  at_once?: number | null;
}

/** How much a trial does. */
export interface TrialWork {
  num_epochs: number;
  num_train: number;
  num_val: number;
}

/** Earlier trials by what they are like. Those that as many others ran beside as slots will come first. */
export class SeenTrials {
  readonly #numSlots: number | undefined;
  readonly #by: Record<SeenSource, Map<string, [SeenTrial, ...SeenTrial[]]>>;
  /** Of all of them. */
  readonly spread: Spread | undefined;

  /** @param numSlots undefined if trials run on other machines, which may have any number of slots. */
  constructor(seen: readonly SeenTrial[], numSlots: number | undefined) {
    this.#numSlots = numSlots;
    const by = (source: SeenSource): Map<string, [SeenTrial, ...SeenTrial[]]> =>
      groupBy(seen, ({ keys }) => keys[source]);
    this.#by = {
      same_trials: by("same_trials"),
      other_data: by("other_data"),
      other_settings: by("other_settings"),
    };
    const alike = groupBy(seen, ({ keys, at_once }) => `${keys.same_trials} ${Math.round(at_once ?? 0)}`);
    this.spread = spreadOf(alike.values());
  }

  /**
   * Those that are most like a configuration.
   *
   * @param sources that count, the best first.
   * @param onlyLike leaves out those beside which another number of trials ran.
   */
  like(keys: CostKeys, sources: readonly SeenSource[], onlyLike: boolean): LikeTrials | undefined {
    for (const source of sources) {
      const trials = this.#by[source].get(keys[source]) ?? [];
      const numSlots = this.#numSlots;
      const alike =
        numSlots === undefined ? trials : trials.filter(({ at_once }) => isLike(at_once, numSlots));
      if (alike.length > 0) return { source, trials: alike };
      const others = numSlots === undefined || onlyLike ? undefined : nearest(trials, numSlots);
      if (others !== undefined) return { source, ...others };
    }
    return undefined;
  }

  /**
   * The time with as many slots as there will be: trials slow each other down by a factor that nobody knows, between 1 and the ratio of
   * their numbers.
   */
  withSlots({ ms, low_ms, high_ms }: Timing, { at_once }: LikeTrials): Timing {
    if (at_once === undefined || this.#numSlots === undefined) return { ms, low_ms, high_ms };
    const ratio = this.#numSlots / (at_once ?? 1);
    return { ms, low_ms: low_ms * Math.min(1, ratio), high_ms: high_ms * Math.max(1, ratio) };
  }
}

/** Of trials that ran beside another number of others, those with the nearest one. */
function nearest(
  trials: readonly SeenTrial[],
  numSlots: number,
): Pick<LikeTrials, "trials" | "at_once"> | undefined {
  const groups = [...groupBy(trials, ({ at_once }) => at_once && Math.round(at_once)).values()];
  const meanOf = (group: readonly SeenTrial[]): number | null =>
    group[0]?.at_once == null ? null : sum(group.map(({ at_once }) => at_once ?? 0)) / group.length;
  const distance = (at_once: number | null): number =>
    at_once === null ? Number.POSITIVE_INFINITY : Math.abs(Math.log(at_once / numSlots));
  const [first] = groups
    .map((group) => ({ trials: group, at_once: meanOf(group) }))
    .toSorted((a, b) => distance(a.at_once) - distance(b.at_once));
  return first;
}

/** The time of a trial that trains, in proportion to its epochs and expressions; undefined if none of these trained. */
export function seenTime(
  like: LikeTrials,
  { num_epochs, num_train, num_val }: TrialWork,
  seen: SeenTrials,
): SeenTime | undefined {
  const training = unitTime(like, ({ training_ms }) => training_ms, seen);
  const evaluation = unitTime(like, ({ evaluation_ms }) => evaluation_ms, seen);
  if (training === undefined || evaluation === undefined) return undefined;
  return { training: times(training, num_epochs * num_train), evaluation: times(evaluation, num_val) };
}

/** The time of a baseline: of the whole trial on the same data, else in proportion to the expressions that it answers. */
export function seenBaselineTime(like: LikeTrials, num_val: number, seen: SeenTrials): Timing | undefined {
  const isSame = like.source === "same_trials";
  return unitTime(like, ({ total_ms, evaluation_ms }) => (isSame ? total_ms : evaluation_ms * num_val), seen);
}

function unitTime(
  like: LikeTrials,
  timeOf: (trial: SeenTrial) => number | null,
  seen: SeenTrials,
): Timing | undefined {
  const values = like.trials.flatMap((trial) => timeOf(trial) ?? []);
  const timing = withSpread(timingOf(values), values.length, seen.spread);
  return timing && seen.withSlots(timing, like);
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
