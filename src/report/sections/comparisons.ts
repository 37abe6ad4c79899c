import type { RootContent } from "mdast";
import { count, counted } from "../../base/format.ts";
import type { Comparison, Summary } from "../../contract/generated/types.ts";
import { comparisonsOf, isSignificant, referenceOf } from "../figures.ts";
import { heading, longTable, paragraph } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { negated, noValue, points, pValue, signedInterval } from "../points.ts";
import { rowNoun, runNoun, runsOf } from "../wording.ts";
import { populationNames } from "./leaderboard.ts";

/**
 * What the comparisons can and cannot show: a table for the reference, and one for the best on val if that is another one.
 * Of two configurations, one table has all.
 */
export function comparisons(summary: Summary): RootContent[] {
  // Too few images for intervals: the leaderboard has the differences.
  if (summary.comparisons.every(({ difference }) => difference.low === null)) return [];
  const { best } = summary.verdict;
  const hasOne = comparisonsOf(summary, best).size === 1;
  const references = hasOne ? [referenceOf(summary)] : [...new Set([referenceOf(summary), best])];
  return references.flatMap((reference) => comparisonTable(summary, reference));
}

interface Column {
  title: string;
  cell: (comparison: Comparison) => string;
  isShown?: boolean;
}

function comparisonTable(summary: Summary, reference: string): RootContent[] {
  const rows = [...comparisonsOf(summary, reference).values()];
  const { smallest_difference } = summary;
  const sought =
    smallest_difference === null
      ? "a difference as large as this one"
      : `a difference of ${points(smallest_difference)} points`;
  const name = quoteLabel(reference);
  const noun = rowNoun(summary.settings);
  const runs = runNoun(summary.settings.map(runsOf));
  const columns: Column[] = [
    { title: noun, cell: ({ against }) => against },
    { title: "difference", cell: ({ difference }) => signedInterval(negated(difference)) },
    {
      title: "interval for",
      cell: ({ population }) => populationNames[population],
      isShown: new Set(rows.map(({ population }) => population)).size > 1,
    },
    { title: "p", cell: ({ p_value }) => pValue(p_value) },
    { title: "p (Holm)", cell: ({ p_adjusted }) => pValue(p_adjusted) },
    {
      title: "detectable",
      cell: ({ detectable }) => (detectable === null ? noValue : points(detectable)),
    },
    {
      title: `equivalent within ${points(smallest_difference ?? 0)}`,
      cell: ({ equivalent }) => (equivalent === null ? noValue : equivalent ? "yes" : "not shown"),
      isShown: smallest_difference !== null,
    },
    {
      title: `new run of ${name} ahead`,
      cell: ({ chance_new_run_ahead }) =>
        chance_new_run_ahead === null ? noValue : wholePercent(chance_new_run_ahead),
      isShown: rows.some(({ chance_new_run_ahead }) => chance_new_run_ahead !== null),
    },
    {
      title: neededTitle,
      cell: (each) => neededFor(each, summary),
      isShown: rows.some((each) => neededFor(each, summary) !== noValue),
    },
  ];
  const shown = columns.filter(({ isShown }) => isShown !== false);
  const titles = new Set(shown.map(({ title }) => title));
  return [
    heading(2, `Comparison with ${name}`),
    paragraph(
      [
        `Acc@0.5 of each ${noun} minus Acc@0.5 of ${name} on the same images, in points.`,
        "Detectable is the smallest true difference that such a comparison finds with a probability of 80 %.",
        ...(titles.has(neededTitle)
          ? [
              `The last column is what it takes to detect ${sought}: ${runs}s of each with these images, or images with these ${runs}s.`,
            ]
          : []),
      ].join(" "),
    ),
    ...longTable(
      shown.map(({ title }) => title),
      rows.map((row) => shown.map(({ cell }) => cell(row))),
    ),
  ];
}

const neededTitle = "to detect it";

/** "12 seeds or 1,200 images", for a difference that is not significant. */
function neededFor(comparison: Comparison, summary: Summary): string {
  const { difference, population, detectable, num_seeds_needed, num_images_needed } = comparison;
  const target = summary.smallest_difference ?? Math.abs(difference.mean);
  if (difference.low === null || isSignificant(comparison, summary) || target === 0) return noValue;
  if (detectable !== null && detectable <= target) return noValue;
  const runs = runNoun(summary.settings.map(runsOf));
  const images = num_images_needed === null ? undefined : `${count(num_images_needed)} images`;
  // Without the variance between seeds, no number of them can be planned.
  if (population === "checkpoints") return images ?? noValue;
  const seeds = num_seeds_needed === null ? undefined : counted(num_seeds_needed, runs);
  if (seeds === undefined && images === undefined) return `more ${runs}s and more images together`;
  if (seeds === undefined) return `${images}; no number of ${runs}s suffices`;
  return images === undefined ? `${seeds}; no number of images suffices` : `${seeds} or ${images}`;
}

/** "97 %"; never certainty. */
function wholePercent(fraction: number): string {
  if (fraction > 0.99) return "> 99 %";
  return fraction < 0.01 ? "< 1 %" : `${Math.round(fraction * 100)} %`;
}
