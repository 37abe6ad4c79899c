import { counted, joinWords } from "../../base/format.ts";
import type { Comparison, Interval, Summary } from "../../contract/generated/types.ts";
import { comparisonsOf, confidenceOf, figureOf, settingOf } from "../figures.ts";
import { quoteLabel } from "../names.ts";
import { negated, plainRange, points, signedPoints, signedRange } from "../points.ts";

/** "token, the nearest of 4, by 2.1 points Acc@0.5 on val (95 % CI 0.9 to 3.3; 3 seeds, clustered by image): 61.0 % against 58.9 %". */
export function lead(summary: Summary, rival: Comparison | undefined, num_rivals: number): string {
  if (rival === undefined) return "";
  const nearest = num_rivals > 1 ? `, the nearest of ${num_rivals},` : "";
  return `${quoteLabel(rival.against)}${nearest} by ${gap(summary, rival)}: ${accuracy(summary, rival.label)} against ${accuracy(summary, rival.against)}`;
}

export function behind(summary: Summary, rival: Comparison | undefined): string {
  if (rival === undefined) return "";
  const seen = { ...rival, difference: negated(rival.difference) };
  return `${quoteLabel(rival.against)} on ${summary.split} by ${gap(summary, seen, false)}`;
}

function gap(summary: Summary, comparison: Comparison, namesSplit = true): string {
  const { low, high, mean } = comparison.difference;
  const metric = namesSplit ? `Acc@0.5 on ${summary.split}` : "Acc@0.5";
  const range =
    low === null || high === null ? "" : `${confidenceOf(summary)} CI ${plainRange({ low, high })}; `;
  return `${points(mean)} points ${metric} (${range}${basis(summary, [comparison.label, comparison.against])})`;
}

/** "61.0 % against 59.9 %, difference +1.1 points, 95 % CI −0.4 to +2.6; 3 seeds, clustered by image". */
export function difference(summary: Summary, comparison: Comparison | undefined): string {
  if (comparison === undefined) return "";
  const { mean, low, high } = comparison.difference;
  const range =
    low === null || high === null ? "" : `, ${confidenceOf(summary)} CI ${signedRange({ low, high })}`;
  const both = `${accuracy(summary, comparison.label)} against ${accuracy(summary, comparison.against)}`;
  return `${both}, difference ${signedPoints(mean)} points${range}; ${basis(summary, [comparison.label, comparison.against])}`;
}

/** "3 seeds, clustered by image"; a baseline has no seeds. */
export function basis(summary: Summary, labels: string[]): string {
  const trained = labels
    .flatMap((label) => settingOf(summary, label) ?? [])
    .filter(({ kind }) => kind === "cliprpn");
  const nums = [...new Set(trained.map(({ seeds }) => seeds.length))];
  const seeds =
    nums.length === 0
      ? "fixed models"
      : nums.length === 1
        ? counted(nums[0] ?? 0, "seed")
        : `${joinWords(nums.map(String))} seeds`;
  return `${seeds}, clustered by image`;
}

/** Comparisons of the best on val. */
export function comparisonsOfBest(summary: Summary): Comparison[] {
  return [...comparisonsOf(summary, summary.verdict.best).values()];
}

/** Of some rivals, the one that is least behind or most ahead. */
export function nearestOf(summary: Summary, labels: string[]): Comparison | undefined {
  const wanted = new Set(labels);
  return comparisonsOfBest(summary)
    .filter(({ against }) => wanted.has(against))
    .toSorted((a, b) => a.difference.mean - b.difference.mean)[0];
}

export function accuracy(summary: Summary, label: string): string {
  const interval = intervalOf(summary, label);
  return interval === undefined ? "" : `${points(interval.mean)} %`;
}

export function intervalOf(summary: Summary, label: string): Interval | undefined {
  const setting = settingOf(summary, label);
  return setting === undefined ? undefined : figureOf(setting, "acc_at_50")?.interval;
}
