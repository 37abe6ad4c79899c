import type { RootContent } from "mdast";
import { asSentence, count, counted } from "../../base/format.ts";
import type {
  Combined,
  CombinedComparison,
  CombinedSetting,
  EndpointComparison,
  Interval,
  PublishedResult,
  StoredComparison,
} from "../../contract/generated/types.ts";
import { alphaOf, confidenceOf } from "../figures.ts";
import { emphasis, heading, type Inline, images, longTable, paragraph, strong } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { interval, negated, noValue, points, pValue, signedInterval } from "../points.ts";
import type { ReportImage } from "../report-input.ts";
import { populationNames } from "../sections/leaderboard.ts";
import { combinedRuns, repeatedSteps, rowNoun } from "../wording.ts";
import { nameEndpoints, primaryEndpoints } from "./combined-verdict.ts";

/** A table of models and splits, and the differences to the best and to the declared baseline by split. */
export function splitsSection(
  title: string,
  combined: Combined,
  comparison: StoredComparison | undefined,
  chart: ReportImage | undefined,
): RootContent[] {
  return [
    heading(2, title),
    ...(chart === undefined ? [] : [images([chart])]),
    paragraph(notes(combined, comparison).join(" ")),
    ...accuracyTable(combined, comparison),
    ...differenceTables(combined, comparison),
  ];
}

function notes(combined: Combined, comparison: StoredComparison | undefined): string[] {
  const primary = primaryEndpoints(combined);
  const noun = nounOf(combined, comparison);
  const populations = populationsOf(combined);
  const steps = repeatedSteps(combinedRuns(combined, comparison));
  return [
    `Acc@0.5 in %, with ${confidenceOf(combined)} confidence intervals; the highest of each column is bold.`,
    ...(primary.length > 1
      ? [
          `The mean is the unweighted mean over ${nameEndpoints(primary)}: the primary endpoint, with ${counted(combined.num_images, "image")}.`,
        ]
      : []),
    combined.selection === "val"
      ? `The ${noun}s are in the order of their results on val, where they are selected.`
      : `The ${noun}s are in the order of ${primary.length > 1 ? "the mean" : "their results on it"}.`,
    ...(populations.size > 1
      ? [
          `“Procedure” intervals hold for ${steps}, on new images; “checkpoints” intervals for these models on new images.`,
        ]
      : populations.has("procedure")
        ? [`Intervals hold for ${steps}, on new images.`]
        : ["Intervals hold for these models on new images."]),
    ...((comparison?.published ?? []).length === 0
      ? []
      : ["Published figures have no answers: they have no interval, and are compared with nothing."]),
    ...(combined.notes ?? []).map(asSentence),
  ];
}

function nounOf({ settings }: Combined, comparison: StoredComparison | undefined): string {
  return comparison === undefined ? rowNoun(settings) : "model";
}

function populationsOf({ settings }: Combined): Set<CombinedSetting["population"]> {
  return new Set(
    settings.filter(({ is_upper_bound }) => !is_upper_bound).map(({ population }) => population),
  );
}

function accuracyTable(combined: Combined, comparison: StoredComparison | undefined): RootContent[] {
  const { settings, endpoints } = combined;
  const num_primary = primaryEndpoints(combined).length;
  const hasMean = num_primary > 1;
  const hasPopulations = populationsOf(combined).size > 1;
  const [bestMean, ...best] = [
    highest(settings.map((setting) => shownFigure(setting, setting.primary))),
    ...endpoints.map((_, index) =>
      highest(settings.map((setting) => shownFigure(setting, setting.per_endpoint[index]))),
    ),
  ];
  const rows = settings.map((setting): Inline[] => [
    setting.is_upper_bound ? emphasis(`upper bound: ${setting.label}`) : setting.label,
    ...(hasMean ? [figureCell(setting, setting.primary, bestMean)] : []),
    ...endpoints.map((_, index) => figureCell(setting, setting.per_endpoint[index] ?? null, best[index])),
    ...(hasPopulations ? [populationNames[setting.population]] : []),
  ]);
  const published = publishedRows(comparison?.published ?? [], endpoints, hasMean).map((row): Inline[] =>
    hasPopulations ? [...row, noValue] : row,
  );
  return longTable(
    [
      nounOf(combined, comparison),
      ...(hasMean ? [`mean of ${num_primary}`] : []),
      ...endpoints.map(
        ({ name, num_sentences, in_primary }) =>
          `${name} (${count(num_sentences)}${hasMean && !in_primary ? "; not in the mean" : ""})`,
      ),
      ...(hasPopulations ? ["interval for"] : []),
    ],
    [...rows, ...published],
  );
}

/** Undefined for an upper bound, which is the best of no column. */
function shownFigure(
  { is_upper_bound }: CombinedSetting,
  figure: Interval | null | undefined,
): number | undefined {
  return is_upper_bound ? undefined : figure?.mean;
}

function highest(values: (number | undefined)[]): number | undefined {
  const known = values.flatMap((value) => value ?? []);
  return known.length < 2 ? undefined : Math.max(...known);
}

function figureCell(setting: CombinedSetting, figure: Interval | null, best: number | undefined): Inline {
  if (figure === null) return noValue;
  const text = interval(figure);
  return best !== undefined && shownFigure(setting, figure) === best ? strong(text) : text;
}

/** A row per label of published Acc@0.5, without intervals. */
function publishedRows(
  published: readonly PublishedResult[],
  endpoints: Combined["endpoints"],
  hasMean: boolean,
): Inline[][] {
  const used = published.filter(({ metric }) => metric === "acc_at_50");
  const names = [...new Set(used.map(({ label, source }) => JSON.stringify([label, source])))];
  return names.flatMap((name) => {
    const [label, source] = JSON.parse(name) as [string, string];
    const valueOn = (data: string): number | undefined =>
      used.find((each) => each.label === label && each.source === source && each.data === data)?.value;
    const cells = endpoints.map((endpoint) => valueOn(endpoint.name));
    if (cells.every((value) => value === undefined)) return [];
    return [
      [
        [emphasis(`${label} (published: ${source})`)],
        ...(hasMean ? [noValue] : []),
        ...cells.map((value) => (value === undefined ? noValue : emphasis(points(value)))),
      ],
    ];
  });
}

function differenceTables(combined: Combined, comparison: StoredComparison | undefined): RootContent[] {
  const references = [...new Set(combined.comparisons.map(({ label }) => label))];
  return references.flatMap((reference) => differenceTable(combined, comparison, reference));
}

/** Of two models, one table has all. */
function differenceTable(
  combined: Combined,
  comparison: StoredComparison | undefined,
  reference: string,
): RootContent[] {
  const { endpoints, comparisons, verdict } = combined;
  const pairs = comparisons.filter(({ label }) => label === reference);
  const others = comparisons.filter(({ label }) => label === verdict.best);
  if (reference !== verdict.best && others.length === 1) return [];
  const num_primary = primaryEndpoints(combined).length;
  const hasMean = num_primary > 1;
  return [
    heading(3, `Differences to ${quoteLabel(reference)} by split`),
    paragraph(
      `Acc@0.5 of each ${nounOf(combined, comparison)} minus that of ${quoteLabel(reference)}, in points, with ${confidenceOf(combined)} intervals. ↑ and ↓ are significantly above and below it (p < ${alphaOf(combined)}): on a split, adjusted by Holm's procedure over the splits of the pair.`,
    ),
    ...longTable(
      [
        nounOf(combined, comparison),
        ...(hasMean ? [`mean of ${num_primary}`] : []),
        "p",
        "p (Holm)",
        ...endpoints.map(({ name }) => name),
      ],
      pairs.map((pair) => [
        pair.against,
        ...(hasMean ? [differenceCell(pair, combined)] : []),
        pValue(pair.p_value),
        pValue(pair.p_adjusted),
        ...endpoints.map((_, index) => differenceCell(pair.per_endpoint[index] ?? null, combined)),
      ]),
    ),
  ];
}

function differenceCell(
  pair: Pick<CombinedComparison | EndpointComparison, "difference" | "p_adjusted"> | null,
  combined: Combined,
): string {
  if (pair === null) return noValue;
  const seen = negated(pair.difference);
  const isSignificant = pair.p_adjusted !== null && pair.p_adjusted < alphaOf(combined);
  return `${signedInterval(seen)}${isSignificant && seen.mean !== 0 ? ` ${seen.mean > 0 ? "↑" : "↓"}` : ""}`;
}
