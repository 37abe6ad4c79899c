import type { TrialEvent, TrialOutcome, TrialSpec } from "../../contract/generated/types.ts";

/** Decides which trial runs next. A search asks for trials by what earlier ones reached; a grid knows them all before. */
export interface TrialSource {
  /** The next trial; undefined if there is none now. A source is asked again whenever a trial has ended. */
  next(): TrialSpec | undefined;
  /** Number of trials that `next` is known to return still. */
  readonly numLeft: number;
  /** A trial that `next` would return at some time, and does not any more; undefined if there is none with this id. */
  take?(trial_id: string): TrialSpec | undefined;
  /** A trial has its outcome; undefined if this run ends without one, after a cancellation. */
  ended?(spec: TrialSpec, outcome: TrialOutcome | undefined): void;
  /** The reason to end a running trial early; undefined to let it run. */
  prune?(spec: TrialSpec, event: TrialEvent): string | undefined;
}

/** Trials that are known before, in order. */
export class GridSource implements TrialSource {
  readonly #left: Map<string, TrialSpec>;

  constructor(trials: readonly TrialSpec[]) {
    this.#left = new Map(trials.map((spec) => [spec.trial_id, spec]));
  }

  get numLeft(): number {
    return this.#left.size;
  }

  next(): TrialSpec | undefined {
    const [first] = this.#left.keys();
    return first === undefined ? undefined : this.take(first);
  }

  take(trial_id: string): TrialSpec | undefined {
    const spec = this.#left.get(trial_id);
    this.#left.delete(trial_id);
    return spec;
  }
}
