import type { PageData } from "../page-data.ts";

/** Which expressions are shown, and in what order. Settings are positions in the page's data. */
export interface Filter {
  a: number;
  b: number;
  outcome: Outcome;
  /** The selected group of each division into subsets; -1 for all. */
  groups: number[];
  /** The selected error class of A and of B; -1 for all. */
  errorA: number;
  errorB: number;
  /** Part of the expression, in any case. */
  text: string;
  order: Order;
}

export type Outcome = "all" | "a_only" | "b_only" | "neither" | "both";
export type Order = "gain" | "loss" | "score" | "dataset";

/** The filter of the first view: what the second configuration gets wrong. */
export function firstFilter({ settings, subsets }: PageData): Filter {
  return {
    a: 0,
    b: Math.min(1, settings.length - 1),
    outcome: "all",
    groups: subsets.map(() => -1),
    errorA: -1,
    errorB: -1,
    text: "",
    order: "gain",
  };
}

/** Rows of the expressions that match, in the selected order. */
export function selectRows(data: PageData, filter: Filter): number[] {
  const rows = matchingRows(data, filter).filter(
    (row) => filter.outcome === "all" || outcomeOf(data, filter, row) === filter.outcome,
  );
  return sortRows(data, filter, rows);
}

/** Number of the expressions with each outcome, whatever outcome is selected. */
export function countOutcomes(data: PageData, filter: Filter): Record<Exclude<Outcome, "all">, number> {
  const counts = { a_only: 0, b_only: 0, neither: 0, both: 0 };
  for (const row of matchingRows(data, filter)) counts[outcomeOf(data, filter, row)] += 1;
  return counts;
}

/** Number of rows with each error class of a setting. */
export function countClasses(
  { settings, error_classes }: PageData,
  setting: number,
  rows: number[],
): number[] {
  const counts = error_classes.map(() => 0);
  for (const row of rows) {
    const code = settings[setting]?.error_class[row] ?? 0;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

export function isHit({ settings }: PageData, setting: number, row: number): boolean {
  return settings[setting]?.error_class[row] === 0;
}

/** Rows that match everything but the outcome, in the order of the dataset. */
function matchingRows({ expressions, subsets, settings }: PageData, filter: Filter): number[] {
  const [a, b] = [settings[filter.a], settings[filter.b]];
  const text = filter.text.trim().toLowerCase();
  return [...expressions.sentence.keys()].filter(
    (row) =>
      subsets.every(
        ({ group }, index) => (filter.groups[index] ?? -1) < 0 || group[row] === filter.groups[index],
      ) &&
      (filter.errorA < 0 || a?.error_class[row] === filter.errorA) &&
      (filter.errorB < 0 || b?.error_class[row] === filter.errorB) &&
      (text === "" || expressions.sentence[row]?.toLowerCase().includes(text) === true),
  );
}

function outcomeOf(data: PageData, { a, b }: Filter, row: number): Exclude<Outcome, "all"> {
  const [hitA, hitB] = [isHit(data, a, row), isHit(data, b, row)];
  if (hitA) return hitB ? "both" : "a_only";
  return hitB ? "b_only" : "neither";
}

function sortRows({ settings }: PageData, { a, b, order }: Filter, rows: number[]): number[] {
  const value = (row: number): number => {
    const [iouA, iouB] = [settings[a]?.iou[row] ?? 0, settings[b]?.iou[row] ?? 0];
    if (order === "gain") return iouA - iouB;
    if (order === "loss") return iouB - iouA;
    return order === "score" ? (settings[a]?.score[row] ?? Number.NEGATIVE_INFINITY) : 0;
  };
  return rows.toSorted((left, right) => value(right) - value(left) || left - right);
}
