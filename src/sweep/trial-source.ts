import type { TrialEvent, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";

/** Decides which trial runs next. A search asks for trials by what earlier ones reached; a grid knows them all before. */
export interface TrialSource {
  /** The next trial; undefined if there is none now. A source is asked again whenever a trial has ended. */
  next(): TrialSpec | undefined;
  /** Number of trials that `next` is known to return still. */
  readonly numLeft: number;
  /** A trial has its outcome; undefined if this run ends without one, after a cancellation. */
  ended?(spec: TrialSpec, outcome: TrialOutcome | undefined): void;
  /** The reason to end a running trial early; undefined to let it run. */
  prune?(spec: TrialSpec, event: TrialEvent): string | undefined;
}

/** Trials that are known before, in order. */
export class GridSource implements TrialSource {
  readonly #trials: readonly TrialSpec[];
  #next = 0;

  constructor(trials: readonly TrialSpec[]) {
    this.#trials = trials;
  }

  get numLeft(): number {
    return this.#trials.length - this.#next;
  }

  next(): TrialSpec | undefined {
    const spec = this.#trials[this.#next];
    if (spec !== undefined) this.#next += 1;
    return spec;
  }
}
