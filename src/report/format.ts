/** 0.5312 -> "53.1 %". */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

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

/** 93,400 ms -> "1 min 33 s". */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1,234,567 bytes -> "1.2 MB". */
export function bytes(count: number): string {
  if (count < 999_500) return `${Math.round(count / 1e3)} KB`;
  return count < 999_950_000 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}

/** A label as a sentence may hold it: one with a comma of its own in quotes. */
export function quoted(label: string): string {
  return label.includes(",") ? `“${label}”` : label;
}

/** ["a", "b", "c"] -> "a, b and c". */
export function list(items: string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}
