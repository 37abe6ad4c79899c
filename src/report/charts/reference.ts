import type { Comparison, Interval, SubsetComparison, Summary } from "../../contract/generated/types.ts";

/** The configuration that charts compare the others with: the declared baseline, else the best on val. */
export function referenceOf({ baseline, comparisons }: Summary): string | undefined {
  const isDeclared = comparisons.some(({ label }) => label === baseline);
  return isDeclared && baseline !== null ? baseline : comparisons[0]?.label;
}

/** Each configuration minus the reference, where the summary has the reference minus the other. */
export function fromReference<T extends Comparison | SubsetComparison>(
  comparisons: readonly T[],
  reference: string,
): (T & { label: string })[] {
  return comparisons
    .filter(({ label }) => label === reference)
    .map((comparison) => ({
      ...comparison,
      label: comparison.against,
      against: reference,
      difference: negate(comparison.difference),
    }));
}

function negate({ mean, low, high }: Interval): Interval {
  return { mean: 0 - mean, low: high === null ? null : 0 - high, high: low === null ? null : 0 - low };
}
