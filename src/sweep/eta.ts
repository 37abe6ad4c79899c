import { formatDuration } from "../base/format.ts";

/** A trial that runs: `share` of its work was done in `workedMs`; both count from the first training step. */
export interface RunningShare {
  label: string;
  workedMs: number;
  share: number;
}

export interface SweepState {
  running: RunningShare[];
  /** Labels of trials that have not started. */
  waiting: string[];
  /** How long finished trials worked, by label: settings differ widely in cost. */
  known: Map<string, number[]>;
  numSlots: number;
}

/** Below this a trial's own share says nothing yet. */
const tellingShare = 0.05;

/** What is left of a sweep, from the running trials' own shares and from the durations of finished ones; undefined while neither tells. */
export function remainingMs({ running, waiting, known, numSlots }: SweepState): number | undefined {
  const projected = new Map<string, number[]>();
  for (const { label, workedMs, share } of running)
    if (share >= tellingShare) add(projected, label, workedMs / share);
  const sources = [known, projected];
  const all = sources.map((source) => [...source.values()].flat()).find((values) => values.length > 0);
  if (all === undefined) return undefined;
  const expected = (label: string): number =>
    mean(sources.map((source) => source.get(label)).find((values) => values !== undefined) ?? all);

  const left = running.map(({ label, workedMs, share }) =>
    share >= tellingShare ? (workedMs * (1 - share)) / share : Math.max(0, expected(label) - workedMs),
  );
  const total = sum(left) + sum(waiting.map(expected));
  const slots = Math.max(1, Math.min(numSlots, running.length + waiting.length));
  return Math.max(total / slots, ...left);
}

/** Adds a value to those of a label. */
export function add(durations: Map<string, number[]>, label: string, value: number): void {
  durations.set(label, [...(durations.get(label) ?? []), value]);
}

function mean(values: number[]): number {
  return sum(values) / values.length;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** What is left of work in equal steps; undefined until a second and a hundredth of it have passed. */
export function leftMs(workedMs: number, done: number, left: number): number | undefined {
  const isTelling = workedMs >= 1000 && done >= (done + left) / 100;
  return isTelling && left > 0 ? (workedMs / done) * left : undefined;
}

/** An estimate has no tenths, and is never nothing. */
export function wholeSeconds(ms: number): string {
  return ms < 10_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : formatDuration(ms);
}
