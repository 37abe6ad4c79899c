import type { Interval, Summary } from "../../contract/generated/types.ts";
import { comparisonsOf, referenceOf } from "../figures.ts";

/** Acc@0.5 of a configuration minus that of the reference; undefined for the reference itself and for upper bounds. */
export function differenceOf(
  summary: Summary,
  label: string,
): { difference: Interval; p_value: number | null; p_adjusted: number | null } | undefined {
  const found = comparisonsOf(summary, referenceOf(summary)).get(label);
  if (found === undefined) return undefined;
  const { p_value, p_adjusted } = found;
  return { difference: negated(found.difference), p_value, p_adjusted };
}

export function negated({ mean, low, high }: Interval): Interval {
  const minus = (value: number): number => (value === 0 ? 0 : -value);
  return {
    mean: minus(mean),
    low: high === null ? null : minus(high),
    high: low === null ? null : minus(low),
  };
}
