import type { Interval } from "../contract/generated/types.ts";

/** 0.5312 -> "53.1": percentage points, for a table whose heading says so. */
export function points(fraction: number): string {
  return (fraction * 100).toFixed(1);
}

/** A difference in points, always with its sign: "+9.2", "−0.4", "0.0". */
export function signedPoints(fraction: number): string {
  const text = points(Math.abs(fraction));
  if (text === "0.0") return text;
  return `${fraction < 0 ? "−" : "+"}${text}`;
}

/** A mean with its interval, if it has one: "53.1 (50.2 to 56.0)". A narrow cell breaks only before the parenthesis. */
export function interval({ mean, low, high }: Interval): string {
  if (low === null || high === null) return points(mean);
  return `${points(mean)} (${range(points(low), points(high))})`;
}

/** A difference with its interval: "+9.2 (+6.3 to +12.2)". */
export function signedInterval({ mean, low, high }: Interval, unit = ""): string {
  const value = `${signedPoints(mean)}${unit}`;
  return low === null || high === null ? value : `${value} (${signedRange({ low, high })})`;
}

/** "0.9 to 3.3" of a difference whose direction the sentence says. */
export function plainRange({ low, high }: Bounds): string {
  return range(plain(low), plain(high));
}

/** "16.4 points (12.7 to 20.3)" of a difference whose direction the sentence says. */
export function plainInterval({ mean, low, high }: Interval, unit = ""): string {
  const value = `${plain(mean)}${unit}`;
  return low === null || high === null ? value : `${value} (${plainRange({ low, high })})`;
}

/** "−0.4 to +2.6". */
export function signedRange({ low, high }: Bounds): string {
  return range(signedPoints(low), signedPoints(high));
}

/** A difference, seen from the other side. */
export function negated({ mean, low, high }: Interval): Interval {
  const minus = (value: number): number => (value === 0 ? 0 : -value); // Not -0, which a file would show.
  return {
    mean: minus(mean),
    low: high === null ? null : minus(high),
    high: low === null ? null : minus(low),
  };
}

/** "0.031", "< 0.001". */
export function pValue(p: number | null): string {
  if (p === null) return noValue;
  return p < 0.001 ? "<\u00a00.001" : p.toFixed(3);
}

interface Bounds {
  low: number;
  high: number;
}

/** Signed only if it is negative. */
function plain(fraction: number): string {
  return signedPoints(fraction).replace("+", "");
}

/** "50.2 to 56.0" with non-breaking spaces. */
export function range(low: string, high: string): string {
  return `${low}\u00a0to\u00a0${high}`;
}

/** Stands in a table cell without a value. */
export const noValue = "–";
