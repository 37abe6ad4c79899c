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
export function signedInterval({ mean, low, high }: Interval): string {
  if (low === null || high === null) return signedPoints(mean);
  return `${signedPoints(mean)} (${range(signedPoints(low), signedPoints(high))})`;
}

/** "50.2 to 56.0" with non-breaking spaces. */
export function range(low: string, high: string): string {
  return `${low}\u00a0to\u00a0${high}`;
}

/** Stands in a table cell without a value. */
export const noValue = "–";
