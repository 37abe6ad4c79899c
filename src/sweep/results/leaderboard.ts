import { compareTexts } from "../../base/format.ts";
import type {
  ConfigurationSoFar,
  IntervalSoFar,
  LeaderboardSoFar,
  TrialSpec,
} from "../../contract/generated/types.ts";
import { isUpperBound } from "../../contract/trial-identity.ts";

/** A trial that the experiment asks for. */
export interface AskedTrial {
  label: string;
  is_upper_bound?: boolean;
}

export function askedTrial(spec: TrialSpec): AskedTrial {
  return { label: spec.label, is_upper_bound: isUpperBound(spec) };
}

/** The result of a trial, and the attempt that has it. */
export interface TrialResult {
  trial_id: string;
  attempt: number;
  /** On val. */
  acc_at_50: number;
}

/** Acc@0.5 on val of the completed trials of a sweep, by configuration. Adding one costs the same for any number of trials. */
export class Leaderboard {
  readonly #confidence: number | undefined;
  readonly #configurations = new Map<string, Configuration>();
  /** The rows, until something changes. */
  #rows: LeaderboardSoFar | undefined;

  /**
   * @param trials all that the experiment asks for.
   * @param confidence level of the intervals; undefined if there are none.
   */
  constructor(trials: Iterable<AskedTrial>, confidence?: number) {
    this.#confidence = confidence;
    for (const trial of trials) this.#configuration(trial).num_trials += 1;
  }

  completed(trial: AskedTrial, result: TrialResult): void {
    const each = this.#configuration(trial);
    each.results.push(result);
    each.interval = undefined;
    each.sum += result.acc_at_50;
    each.min = Math.min(each.min, result.acc_at_50);
    each.max = Math.max(each.max, result.acc_at_50);
    this.#rows = undefined;
  }

  /** The highest means first, upper bounds last. */
  soFar(): LeaderboardSoFar {
    this.#rows ??= this.#sort();
    return this.#rows;
  }

  /** The results of the configurations in `soFar` whose interval is not known, by label. */
  withoutInterval(): Map<string, readonly TrialResult[]> {
    return new Map(
      this.soFar().configurations.flatMap(({ label }) => {
        const { interval, results } = this.#configuration({ label });
        return interval === undefined ? [[label, [...results]]] : [];
      }),
    );
  }

  /**
   * @param results that it was computed from; if there are more by now, it is dropped.
   * @param interval null if they support none.
   */
  setInterval(label: string, results: readonly TrialResult[], interval: IntervalSoFar | null): void {
    const each = this.#configuration({ label });
    if (each.results.length !== results.length) return;
    each.interval = interval;
    this.#rows = undefined;
  }

  #configuration({ label, is_upper_bound = false }: AskedTrial): Configuration {
    const known = this.#configurations.get(label);
    if (known !== undefined) return known;
    const results: TrialResult[] = [];
    const added = { is_upper_bound, num_trials: 0, results, sum: 0, min: 1, max: 0, interval: undefined };
    this.#configurations.set(label, added);
    return added;
  }

  #sort(): LeaderboardSoFar {
    const rows = [...this.#configurations].flatMap(([label, each]) => rowOf(label, each) ?? []);
    rows.sort(
      (a, b) =>
        Number(a.is_upper_bound) - Number(b.is_upper_bound) ||
        b.acc_at_50.mean - a.acc_at_50.mean ||
        compareTexts(a.label, b.label),
    );
    return {
      num_configurations: rows.length,
      configurations: rows.slice(0, maxRows),
      ...(this.#confidence === undefined ? {} : { confidence: this.#confidence }),
    };
  }
}

/** status.json is written every second. */
const maxRows = 50;

interface Configuration {
  is_upper_bound: boolean;
  num_trials: number;
  results: TrialResult[];
  sum: number;
  min: number;
  max: number;
  /** Of the mean of these results; undefined before it is computed, null if they support none. */
  interval: IntervalSoFar | null | undefined;
}

/** Undefined before a trial has completed. */
function rowOf(
  label: string,
  { is_upper_bound, num_trials, results, sum, min, max, interval = null }: Configuration,
): (ConfigurationSoFar & { is_upper_bound: boolean }) | undefined {
  const num_completed = results.length;
  if (num_completed === 0) return undefined;
  // Rounding must not put the mean of equal values outside their range.
  const mean = Math.min(max, Math.max(min, sum / num_completed));
  return { label, num_trials, num_completed, acc_at_50: { mean, min, max }, is_upper_bound, interval };
}
