export function median(values: number[]): number {
  return quantile(values, 0.5);
}

/** @param fraction in [0, 1]. */
export function quantile(values: number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? Number.NaN;
}
