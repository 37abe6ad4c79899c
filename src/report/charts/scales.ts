import type { Interval } from "../../contract/generated/types.ts";

/** A fraction in percent, without the digits that are only rounding errors. */
export function percentOf(fraction: number): number {
  return Math.round(fraction * 1e8) / 1e6;
}

/** An interval in percent; without one, both ends are the mean. */
export function toPercent({ mean, low, high }: Interval): { mean: number; low: number; high: number } {
  return { mean: percentOf(mean), low: percentOf(low ?? mean), high: percentOf(high ?? mean) };
}

/** The part of 0 to 100 % that has the values, in round numbers, at least 10 points wide. */
export function zoomedDomain(values: readonly number[]): [low: number, high: number] {
  const [low, high] = extent(values, 0, 100);
  const middle = Math.max(5, Math.min(95, (low + high) / 2));
  const [least, most] = [Math.min(low, middle - 5), Math.max(high, middle + 5)];
  const step = most - least > 30 ? 10 : 5;
  const from = Math.max(0, Math.floor((least - 0.5) / step) * step);
  const to = Math.min(100, Math.ceil((most + 0.5) / step) * step);
  // An axis that nearly starts at 0 starts there, so that lengths can be compared.
  return [from <= (to - from) / 4 ? 0 : from, to];
}

/** ", axis from 40 to 75 ..." if it does not start at 0, so that nobody compares lengths. */
export function noteZoom([low, high]: readonly [number, number]): string {
  return low === 0 ? "" : `, axis from ${low} to ${high} and not from 0`;
}

/** The smallest and the largest of the values; without any, the other two. */
export function extent(values: readonly number[], low: number, high: number): [low: number, high: number] {
  if (values.length === 0) return [low, high];
  return values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number]);
}
