import { formatDuration } from "../base/format.ts";

/** A running trial: fraction `share` of its work took `workedMs`; both count from the first training step. */
export interface RunningShare {
  label: string;
  workedMs: number;
  share: number;
}

export interface SweepState {
  running: RunningShare[];
  /** Labels of the trials that have not started. */
  waiting: string[];
  /** Durations of finished trials by label, since configurations differ widely in cost. */
  finished: Map<string, number[]>;
  numSlots: number;
}

/** A smaller share does not predict the duration yet. */
const minShare = 0.05;

/** Remaining time of a sweep, from the running trials' shares and the durations of finished trials; undefined while neither is known. */
export function remainingMs({ running, waiting, finished, numSlots }: SweepState): number | undefined {
  const projected = new Map<string, number[]>();
  for (const { label, workedMs, share } of running)
    if (share >= minShare) add(projected, label, workedMs / share);
  const sources = [finished, projected];
  const all = sources.map((source) => [...source.values()].flat()).find((values) => values.length > 0);
  if (all === undefined) return undefined;
  const expected = (label: string): number =>
    mean(sources.map((source) => source.get(label)).find((values) => values !== undefined) ?? all);

  const left = running.map(({ label, workedMs, share }) =>
    share >= minShare ? (workedMs * (1 - share)) / share : Math.max(0, expected(label) - workedMs),
  );
  const total = sum(left) + sum(waiting.map(expected));
  const slots = Math.max(1, Math.min(numSlots, running.length + waiting.length));
  return Math.max(total / slots, ...left);
}

/** Appends a value to the list of a label. */
export function add(durations: Map<string, number[]>, label: string, value: number): void {
  durations.set(label, [...(durations.get(label) ?? []), value]);
}

function mean(values: number[]): number {
  return sum(values) / values.length;
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
