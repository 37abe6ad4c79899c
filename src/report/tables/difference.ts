import type { Interval, Summary } from "../../contract/generated/types.ts";
import { comparisonsOf, referenceOf } from "../figures.ts";
import { negated } from "../points.ts";

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
