import { count, joinWords, percent } from "../base/format.ts";
import type { Comparison, Remark, Summary } from "../contract/generated/types.ts";
import { figureOf } from "./figures.ts";
import { interval, points, signedInterval } from "./points.ts";
import { quoteLabel } from "./report-input.ts";

/** The result in a few sentences; `summary.verdict` has decided what the data support. */
export function verdict(summary: Summary): string {
  return [sentenceOf(summary), ...summary.verdict.remarks.map((remark) => remarkOf(remark, summary))]
    .map((sentence) => `${sentence}.`)
    .join(" ");
}

function sentenceOf(summary: Summary): string {
  const { verdict: decided, split, num_images } = summary;
  const best = quoteLabel(decided.best);
  const reached = `${best} reaches an Acc@0.5 of ${accuracy(summary, decided.best)} on ${split}`;
  const nearest = summary.comparisons.find(
    ({ label, against }) => label === decided.best && against === decided.rival,
  );
  const rival = quoteLabel(decided.rival ?? "");
  switch (decided.case) {
    case "no_hit":
      return `No configuration has a hit: Acc@0.5 is 0.0 % on ${split}`;
    case "few_images":
      return `${reached}; ${count(num_images)} images are too few to compare configurations`;
    case "one_setting":
      return `${reached}; no other configuration was run for comparison`;
    case "same_answers":
      return `${reached}; ${rival} gives the same answers`;
    case "checkpoints":
      return `These checkpoints: ${reached}, compared with ${rival} ${gapOf(nearest)}; with one seed, this says nothing about training again`;
    case "outperforms": {
      const maybe = decided.possibly_too_small
        ? `, by possibly less than the ${points(summary.smallest_difference ?? 0)} points that matter`
        : "";
      return `${best} outperforms ${rival}${decided.beaten.length > 1 ? `, the nearest of ${decided.beaten.length}` : ""}, by ${gapOf(nearest)}${maybe}: ${reached}`;
    }
    case "behind":
      return `${best}, selected on val, is behind ${rival} on ${split} by ${gapOf(nearest)}`;
    case "equivalent":
      return `${best} and ${joinWords(decided.open.map(quoteLabel))} are equivalent within ${points(summary.smallest_difference ?? 0)} points`;
    case "mixed":
    case "no_difference": {
      const beaten =
        decided.beaten.length > 0 ? `, which outperforms ${joinWords(decided.beaten.map(quoteLabel))}` : "";
      return `No significant difference between ${best}${beaten} and ${joinWords(decided.open.map(quoteLabel))}${detectableOf(nearest)}`;
    }
  }
}

function accuracy(summary: Summary, label: string): string {
  const setting = summary.settings.find((candidate) => candidate.label === label);
  const figure = setting === undefined ? undefined : figureOf(setting, "acc_at_50");
  return figure === undefined ? "" : `${interval(figure.interval)} %`;
}

function gapOf(comparison: Comparison | undefined): string {
  return comparison === undefined ? "" : `${signedInterval(comparison.difference)} points`;
}

function detectableOf(comparison: Comparison | undefined): string {
  const detectable = comparison?.detectable ?? null;
  return detectable === null ? "" : ` (minimum detectable effect ${points(detectable)} points)`;
}

function remarkOf(remark: Remark, { verdict: { best } }: Summary): string {
  switch (remark.kind) {
    case "seeds":
      return `${remark.num_completed} of ${remark.num_planned} seeds of ${quoteLabel(remark.label)} finished`;
    case "behind":
      return `${quoteLabel(best)} is behind ${quoteLabel(remark.against)} in ${remark.group} by ${signedInterval(remark.difference)} points`;
    case "below_chance":
      return `${quoteLabel(best)} is below same-category chance (${percent(remark.chance)})${remark.group === null ? "" : ` in ${remark.group}`}`;
    case "not_above_blank":
      return `${quoteLabel(best)} is not above its own image-only answers`;
    case "still_rising":
      return `Accuracy of ${joinWords(remark.labels.map(quoteLabel))} was still rising at the last epoch`;
  }
}
