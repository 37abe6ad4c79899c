import type { CompletedConfiguration, TrialSpec } from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import { TrialStore } from "../../store/trial-store.ts";
import type { Leaderboard, TrialResult } from "./leaderboard.ts";

export interface IntervalsOptions {
  leaderboard: Leaderboard;
  /** All that the experiment asks for. */
  trials: readonly Pick<TrialSpec, "label" | "kind">[];
  confidence: number;
  runsDir: string;
  engine: Pick<Engine, "call">;
  /** Called once, with the reason why there will be no further intervals. */
  onFailure: (error: unknown) => void;
}

/**
 * Has the intervals of a leaderboard computed from the predictions on val while the sweep runs: in the background, one call at a
 * time, on a worker that runs no trial.
 */
export class IntervalsSoFar {
  readonly #options: IntervalsOptions;
  /** The configurations whose result differs when they are trained again. */
  readonly #trained: Set<string>;
  readonly #ended = new AbortController();
  #call: Promise<void> | undefined;

  constructor(options: IntervalsOptions) {
    this.#options = options;
    this.#trained = new Set(
      options.trials.filter(({ kind }) => kind === "cliprpn").map(({ label }) => label),
    );
  }

  /** Starts the computation of the intervals that are not known, unless one runs. */
  update(): void {
    if (this.#call !== undefined || this.#ended.signal.aborted) return;
    const wanted = [...this.#options.leaderboard.withoutInterval()].filter(
      // One trained model says nothing about the configuration.
      ([label, { length }]) => length >= 2 || !this.#trained.has(label),
    );
    if (wanted.length === 0) return;
    this.#call = this.#compute(wanted)
      .catch((error) => {
        if (this.#ended.signal.aborted) return;
        this.#ended.abort();
        this.#options.onFailure(error);
      })
      .finally(() => {
        this.#call = undefined;
      });
  }

  /** Waits until all intervals are known that the results so far support. */
  async complete(): Promise<void> {
    await this.#call; // It may lack the last results.
    this.update();
    await this.#call;
  }

  /** Waits for the computation that runs; there is no other one. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#call;
  }

  async #compute(wanted: readonly [label: string, results: readonly TrialResult[]][]): Promise<void> {
    const { engine, leaderboard, confidence } = this.#options;
    const configurations = wanted.map(([label, results]) => this.#configuration(label, results));
    const { intervals } = await engine.call("intervals_so_far", {
      split: "val",
      configurations,
      confidence,
    });
    for (const [index, [label, results]] of wanted.entries())
      leaderboard.setInterval(label, results, intervals[index] ?? null);
  }

  #configuration(label: string, results: readonly TrialResult[]): CompletedConfiguration {
    const [first = "", ...others] = results.map(({ trial_id, attempt }) =>
      new TrialStore(this.#options.runsDir, trial_id).answersFolder(attempt, "val"),
    );
    return { has_seeds: this.#trained.has(label), predictions_dirs: [first, ...others] };
  }
}
