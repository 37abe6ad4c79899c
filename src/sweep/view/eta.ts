import { formatDuration } from "../../base/format.ts";
import type { RunningPreparation, SweepStatus } from "../../contract/generated/types.ts";

/** A running trial: from `skipped` to `share` of its work took `workedMs`, which counts from the first training step. */
export interface RunningShare {
  label: string;
  workedMs: number;
  share: number;
  /** What an earlier attempt did; 0 by default. */
  skipped?: number;
}

/** A smaller share does not predict the duration yet. */
const minShare = 0.05;

/** A completed trial that an earlier attempt did more of does not predict the duration of others. */
const maxSkipped = 0.9;

/**
 * The remaining time of a sweep, from the running trials' shares and the durations of finished trials. It keeps sums by label, so
 * that an estimate costs the same for any number of trials and labels.
 */
export class SweepEta {
  /** Trials that run at the same time. */
  numSlots: number;
  /** Number of trials that have not started, by label, since configurations differ widely in cost. */
  readonly #waiting = new Map<string, number>();
  /** Durations of finished trials by label. */
  readonly #finished = new Map<string, Mean>();
  readonly #allFinished = new Mean();
  #numWaiting = 0;
  /** The waiting trials whose label has a finished trial: their number, and the sum of their expected durations. */
  #numExpected = 0;
  #expectedMs = 0;
  /** Squares of the logarithms of durations of finished trials over what was expected of them. */
  readonly #squaredErrors = new Mean();

  /** @param waiting labels of the trials that have not started. */
  constructor(waiting: Iterable<string>, numSlots: number) {
    this.numSlots = numSlots;
    for (const label of waiting) this.#addWaiting(label, 1);
  }

  /** A waiting trial was started. */
  started(label: string): void {
    this.#addWaiting(label, -1);
  }

  /**
   * A trial was completed after this time, counted from its first training step.
   *
   * @param skipped what an earlier attempt did of its work.
   */
  finished(label: string, ms: number, skipped = 0): void {
    if (skipped > maxSkipped) return; // The rest says too little about the whole.
    const workedMs = ms / (1 - skipped);
    const expected = this.#finished.get(label)?.value ?? this.#allFinished.value;
    if (expected !== undefined)
      this.#squaredErrors.add(Math.log(atLeastOne(workedMs) / atLeastOne(expected)) ** 2);
    const num = this.#waiting.get(label) ?? 0;
    this.#addWaiting(label, -num);
    add(this.#finished, label, workedMs);
    this.#allFinished.add(workedMs);
    this.#addWaiting(label, num);
  }

  /**
   * The lowest and the highest remaining time, if an estimate is wrong by the factor by which those of single trials were. Errors of
   * several trials partly cancel out, so this is rather too wide. Undefined before two trials could be compared with their estimate.
   */
  rangeMs(remainingMs: number): [low: number, high: number] | undefined {
    const { value, num } = this.#squaredErrors;
    if (value === undefined || num < 2) return undefined;
    const factor = Math.exp(Math.sqrt(value));
    return [remainingMs / factor, remainingMs * factor];
  }

  /** Remaining time of a running trial; undefined while neither its share nor a trial of its label predicts it. */
  trialLeftMs(trial: RunningShare): number | undefined {
    const whole = wholeMs(trial);
    if (whole !== undefined) return whole * (1 - trial.share);
    const expected = this.#finished.get(trial.label)?.value;
    return expected === undefined ? undefined : expectedLeftMs(expected, trial);
  }

  /** Undefined while neither a duration nor a share is known. */
  remainingMs(running: readonly RunningShare[]): number | undefined {
    const projected = new Map<string, Mean>();
    const allProjected = new Mean();
    for (const trial of running) {
      const whole = wholeMs(trial);
      if (whole === undefined) continue;
      add(projected, trial.label, whole);
      allProjected.add(whole);
    }
    const all = this.#allFinished.value ?? allProjected.value;
    if (all === undefined) return undefined;
    const expected = (label: string): number =>
      (this.#finished.get(label) ?? projected.get(label))?.value ?? all;

    const left = running.map(
      (trial) => this.trialLeftMs(trial) ?? expectedLeftMs(expected(trial.label), trial),
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
    const slots = Math.max(1, Math.min(this.numSlots, running.length + this.#numWaiting));
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

/** What the whole trial would take; undefined while too little of it is done. */
function wholeMs({ workedMs, share, skipped = 0 }: RunningShare): number | undefined {
  const done = share - skipped;
  return done < minShare ? undefined : workedMs / done;
}

/** @param expected of the whole trial. */
function expectedLeftMs(expected: number, { workedMs, skipped = 0 }: RunningShare): number {
  return Math.max(0, expected * (1 - skipped) - workedMs);
}

/** The mean of the values added so far; undefined without one. */
class Mean {
  #sum = 0;
  #num = 0;

  get num(): number {
    return this.#num;
  }

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

/** Shorter times are not told apart. */
function atLeastOne(ms: number): number {
  return Math.max(1, ms);
}

/** "about 12 min 5 s left (9 min 40 s to 15 min 6 s)". */
export function describeLeft({
  left_ms,
  left_range_ms,
}: Pick<SweepStatus, "left_ms" | "left_range_ms">): string {
  if (left_ms === null) return "time left: not known yet";
  const range =
    left_range_ms == null ? "" : ` (${wholeSeconds(left_range_ms[0])} to ${wholeSeconds(left_range_ms[1])})`;
  return `about ${wholeSeconds(left_ms)} left${range}`;
}

/** "preparing for 1 min 5 s on n2 cuda, pid 7: CLIP image features 40 %, about 2 min left". */
export function describePreparation(
  { started_at, activity, left_ms, worker }: RunningPreparation,
  now: number,
): string {
  const left = left_ms === null ? "" : `, about ${wholeSeconds(left_ms)} left`;
  const where = worker === undefined ? "" : ` on ${worker}`;
  return `preparing for ${wholeSeconds(now - Date.parse(started_at))}${where}: ${activity}${left}`;
}

/** A duration in whole seconds, at least 1 s. */
export function wholeSeconds(ms: number): string {
  return ms < 10_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : formatDuration(ms);
}
