import { formatDuration } from "../base/format.ts";

/** A running trial: fraction `share` of its work took `workedMs`; both count from the first training step. */
export interface RunningShare {
  label: string;
  workedMs: number;
  share: number;
}

/** A smaller share does not predict the duration yet. */
const minShare = 0.05;

/**
 * The remaining time of a sweep, from the running trials' shares and the durations of finished trials. It keeps sums by label, so
 * that an estimate costs the same for any number of trials and labels.
 */
export class SweepEta {
  readonly #numSlots: number;
  /** Number of trials that have not started, by label, since configurations differ widely in cost. */
  readonly #waiting = new Map<string, number>();
  /** Durations of finished trials by label. */
  readonly #finished = new Map<string, Mean>();
  readonly #allFinished = new Mean();
  #numWaiting = 0;
  /** The waiting trials whose label has a finished trial: their number, and the sum of their expected durations. */
  #numExpected = 0;
  #expectedMs = 0;

  /** @param waiting labels of the trials that have not started. */
  constructor(waiting: Iterable<string>, numSlots: number) {
    this.#numSlots = numSlots;
    for (const label of waiting) this.#addWaiting(label, 1);
  }

  /** A waiting trial was started. */
  started(label: string): void {
    this.#addWaiting(label, -1);
  }

  /** A trial was completed after this time, counted from its first training step. */
  finished(label: string, workedMs: number): void {
    const num = this.#waiting.get(label) ?? 0;
    this.#addWaiting(label, -num);
    add(this.#finished, label, workedMs);
    this.#allFinished.add(workedMs);
    this.#addWaiting(label, num);
  }

  /** Undefined while neither a duration nor a share is known. */
  remainingMs(running: readonly RunningShare[]): number | undefined {
    const projected = new Map<string, Mean>();
    const allProjected = new Mean();
    for (const { label, workedMs, share } of running) {
      if (share < minShare) continue;
      add(projected, label, workedMs / share);
      allProjected.add(workedMs / share);
    }
    const all = this.#allFinished.value ?? allProjected.value;
    if (all === undefined) return undefined;
    const expected = (label: string): number =>
      (this.#finished.get(label) ?? projected.get(label))?.value ?? all;

    const left = running.map(({ label, workedMs, share }) =>
      share >= minShare ? (workedMs * (1 - share)) / share : Math.max(0, expected(label) - workedMs),
    );
    let total = sum(left) + this.#expectedMs;
    let numOthers = this.#numWaiting - this.#numExpected;
    for (const label of projected.keys()) {
      if (this.#finished.has(label)) continue;
      const num = this.#waiting.get(label) ?? 0;
      total += num * expected(label);
      numOthers -= num;
    }
    total += numOthers * all;
    const slots = Math.max(1, Math.min(this.#numSlots, running.length + this.#numWaiting));
    return Math.max(total / slots, ...left);
  }

  #addWaiting(label: string, num: number): void {
    this.#waiting.set(label, (this.#waiting.get(label) ?? 0) + num);
    this.#numWaiting += num;
    const expected = this.#finished.get(label)?.value;
    if (expected === undefined) return;
    this.#numExpected += num;
    // Without the rest that adding and subtracting leaves.
    this.#expectedMs = this.#numExpected === 0 ? 0 : this.#expectedMs + num * expected;
  }
}

/** The mean of the values added so far; undefined without one. */
class Mean {
  #sum = 0;
  #num = 0;

  add(value: number): void {
    this.#sum += value;
    this.#num += 1;
  }

  get value(): number | undefined {
    return this.#num === 0 ? undefined : this.#sum / this.#num;
  }
}

function add(means: Map<string, Mean>, label: string, value: number): void {
  const mean = means.get(label) ?? new Mean();
  mean.add(value);
  means.set(label, mean);
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Remaining time of work in equal steps; undefined during the first second and the first 1 % of the steps. */
export function leftMs(workedMs: number, done: number, left: number): number | undefined {
  const isEnough = workedMs >= 1000 && done >= (done + left) / 100;
  return isEnough && left > 0 ? (workedMs / done) * left : undefined;
}

/** A duration in whole seconds, at least 1 s. */
export function wholeSeconds(ms: number): string {
  return ms < 10_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : formatDuration(ms);
}
