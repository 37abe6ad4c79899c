import { compareTexts } from "../base/format.ts";
import type { ConfigurationSoFar, LeaderboardSoFar, TrialSpec } from "../contract/generated/types.ts";

/** Acc@0.5 on val of the completed trials of a sweep, by configuration. Adding one costs the same for any number of trials. */
export class Leaderboard {
  readonly #configurations = new Map<string, Configuration>();
  /** The rows, until a trial completes. */
  #rows: LeaderboardSoFar | undefined;

  /** @param trials all that the experiment asks for. */
  constructor(trials: Iterable<Pick<TrialSpec, "label">>) {
    for (const { label } of trials) this.#configuration(label).num_trials += 1;
  }

  completed({ label }: Pick<TrialSpec, "label">, acc_at_50: number): void {
    const each = this.#configuration(label);
    each.num_completed += 1;
    each.sum += acc_at_50;
    each.min = Math.min(each.min, acc_at_50);
    each.max = Math.max(each.max, acc_at_50);
    this.#rows = undefined;
  }

  /** The highest means first. */
  soFar(): LeaderboardSoFar {
    this.#rows ??= this.#sort();
    return this.#rows;
  }

  #configuration(label: string): Configuration {
    const known = this.#configurations.get(label);
    if (known !== undefined) return known;
    const added = { num_trials: 0, num_completed: 0, sum: 0, min: 1, max: 0 };
    this.#configurations.set(label, added);
    return added;
  }

  #sort(): LeaderboardSoFar {
    const rows = [...this.#configurations].flatMap(([label, each]) => rowOf(label, each) ?? []);
    rows.sort((a, b) => b.acc_at_50.mean - a.acc_at_50.mean || compareTexts(a.label, b.label));
    return { num_configurations: rows.length, configurations: rows.slice(0, maxRows) };
  }
}

/** status.json is written every second. */
const maxRows = 50;

interface Configuration {
  num_trials: number;
  num_completed: number;
  sum: number;
  min: number;
  max: number;
}

/** Undefined before a trial has completed. */
function rowOf(
  label: string,
  { num_trials, num_completed, sum, min, max }: Configuration,
): ConfigurationSoFar | undefined {
  if (num_completed === 0) return undefined;
  // Rounding must not put the mean of equal values outside their range.
  const mean = Math.min(max, Math.max(min, sum / num_completed));
  return { label, num_trials, num_completed, acc_at_50: { mean, min, max } };
}
