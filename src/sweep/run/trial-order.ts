import type { TrialSpec } from "../../contract/generated/types.ts";
import type { TrialSource } from "./trial-source.ts";

/** The order in which trials start: those that run again come before new ones, and those that other processes run come last. */
export class TrialOrder {
  readonly #source: TrialSource;
  readonly #again: TrialSpec[] = [];
  /** To run again when no other runs. */
  readonly #againAlone: TrialSpec[] = [];
  readonly #elsewhere: TrialSpec[] = [];

  constructor(source: TrialSource) {
    this.#source = source;
  }

  runAgain(spec: TrialSpec, { alone = false } = {}): void {
    (alone ? this.#againAlone : this.#again).push(spec);
  }

  /** Another process runs this trial. */
  runsElsewhere(spec: TrialSpec): void {
    this.#elsewhere.push(spec);
  }

  /** @param isIdle whether no trial runs. */
  next(isIdle: boolean): TrialSpec | undefined {
    return this.#again.shift() ?? this.#source.next() ?? (isIdle ? this.#againAlone.shift() : undefined);
  }

  /** A trial whose end is to be waited for, if its process does not complete it. */
  nextElsewhere(): TrialSpec | undefined {
    return this.#elsewhere.shift();
  }

  /** Trials that could start, as far as known; of those that run alone, one. */
  get numLeft(): number {
    const numAlone = Math.min(1, this.#againAlone.length);
    return this.#again.length + this.#source.numLeft + numAlone + this.#elsewhere.length;
  }
}
