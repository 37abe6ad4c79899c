/** 0.5312 -> "53.1": percentage points in a table whose heading says so. */
export function points(share: number): string {
  return (share * 100).toFixed(1);
}

/** A difference in points, its sign always shown: "+9.2", "−0.4", "0.0". */
export function signed(share: number): string {
  const text = points(Math.abs(share));
  if (text === "0.0") return text;
  return `${share < 0 ? "−" : "+"}${text}`;
}

interface Interval {
  mean: number;
  low: number;
  high: number;
}

/** A mean with its interval, in percentage points: "53.1 (50.2 to 56.0)". A narrow cell breaks before the bracket only. */
export function interval({ mean, low, high }: Interval): string {
  return `${points(mean)} (${range(points(low), points(high))})`;
}

/** A difference with its interval: "+9.2 (+6.3 to +12.2)". */
export function signedInterval({ mean, low, high }: Interval): string {
  return `${signed(mean)} (${range(signed(low), signed(high))})`;
}

/** "50.2 to 56.0", its spaces such that no browser breaks a line there. */
export function range(low: string, high: string): string {
  return `${low}\u00a0to\u00a0${high}`;
}

/** A label as a sentence may hold it: one with a comma of its own in quotes. */
export function quoted(label: string): string {
  return label.includes(",") ? `“${label}”` : label;
}
