import { performance } from "node:perf_hooks";
import type { TrialSpec } from "../../contract/generated/types.ts";
import type { Attempt } from "../../engine/launcher.ts";
import type { NewEntry } from "../../store/journal.ts";
import type { AttemptWatcher } from "../view/attempt-watcher.ts";
import type { Found, TrialClaims } from "./trial-claims.ts";
import type { TrialOrder } from "./trial-order.ts";
import type { TrialSource } from "./trial-source.ts";
import type { Cancellation, Verdict } from "./verdicts.ts";

export interface RunningAttempt {
  /** As the source gave it; the attempt's has the stored copy of a fusion. */
  spec: TrialSpec;
  /** Undefined before it has started. */
  slot: number | undefined;
  startedAt: number;
  /** Why the controller canceled it. */
  canceled?: Cancellation;
}

export interface AttemptEndsOptions {
  source: TrialSource;
  claims: TrialClaims;
  order: TrialOrder;
  watcher: AttemptWatcher;
  record: (entry: NewEntry) => void;
}

/** Carries out what the ends of attempts mean: accepts, puts trials back to run again, writes the journal. */
export class AttemptEnds {
  readonly #options: AttemptEndsOptions;
  /** Attempts that ended without an outcome that counts, and when each had started: a worker that counted as lost may complete one. */
  readonly #givenUp = new Map<string, Map<number, number>>();
  #numFailed = 0;

  constructor(options: AttemptEndsOptions) {
    this.#options = options;
  }

  /** Trials that have failed for good. */
  get numFailed(): number {
    return this.#numFailed;
  }

  async ended(attempt: Attempt, { spec, slot, startedAt }: RunningAttempt, verdict: Verdict): Promise<void> {
    const { source, claims, order, watcher } = this.#options;
    const duration_ms = performance.now() - startedAt;
    const outcome = "outcome" in verdict ? verdict.outcome : undefined;
    const isAccepted = await claims.finished(attempt, outcome);
    if (verdict.state === "retried" || verdict.state === "preempted") this.#giveUp(attempt, startedAt);
    if (verdict.state === "retried") {
      order.runAgain(spec, verdict);
      watcher.again(spec);
    } else if (verdict.state === "preempted") order.runAgain(spec);
    else {
      if (verdict.state === "ended" && verdict.outcome.state === "failed") this.#numFailed += 1;
      if (verdict.state === "interrupted" && slot === undefined) order.runAgain(spec); // It is left.
      source.ended?.(spec, outcome);
    }
    // It waited in the launcher, and nothing is known about it.
    if (slot === undefined && outcome === undefined) return;
    const ended = verdict.state === "ended" ? verdict.outcome.state : verdict.state;
    this.#options.record({
      type: "trial_finished",
      trial_id: spec.trial_id,
      attempt: attempt.number,
      sources_sha256: outcome?.sources_sha256 ?? spec.sources_sha256,
      state: isAccepted ? ended : "refused",
      duration_ms,
      error: outcome?.state === "failed" ? outcome.error : null,
      ...(outcome?.state === "completed" ? { acc_at_50: outcome.metrics.acc_at_50 } : {}),
    });
    watcher.finished(attempt, slot, outcome, duration_ms, isAccepted);
  }

  /**
   * A trial that need not run, since an attempt has completed it.
   *
   * @param left the number of an attempt that ran since an earlier process ran the sweep.
   */
  found(spec: TrialSpec, { found, outcome }: Found, left?: number): void {
    const { source, watcher, record } = this.#options;
    const startedAt =
      this.#givenUp.get(spec.trial_id)?.get(found) ?? (found === left ? performance.now() : undefined);
    this.#givenUp.delete(spec.trial_id);
    source.ended?.(spec, outcome);
    // What another sweep completed is not in this one's journal.
    if (startedAt !== undefined && outcome?.state === "completed")
      record({
        type: "trial_finished",
        trial_id: spec.trial_id,
        attempt: found,
        sources_sha256: outcome.sources_sha256,
        state: "completed",
        duration_ms: performance.now() - startedAt,
        error: null,
        acc_at_50: outcome.metrics.acc_at_50,
      });
    watcher.found(spec);
  }

  #giveUp({ spec, number }: Attempt, startedAt: number): void {
    const { trial_id } = spec;
    this.#givenUp.set(trial_id, (this.#givenUp.get(trial_id) ?? new Map()).set(number, startedAt));
  }
}
