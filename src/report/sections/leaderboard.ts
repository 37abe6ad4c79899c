import type { RootContent } from "mdast";
import { counted } from "../../base/format.ts";
import type { PublishedResult, SettingSummary, Summary } from "../../contract/generated/types.ts";
import {
  comparisonsOf,
  type Floor,
  figureOf,
  floorsOf,
  hasIntervals,
  isSelectedOnVal,
  referenceOf,
} from "../figures.ts";
import { emphasis, heading, type Inline, images, paragraph, table } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { interval, negated, noValue, points, pValue, signedInterval } from "../points.ts";
import type { ReportImage } from "../report-input.ts";
import { capitalized, countRuns, hasRuns, repeatedSteps, rowNoun, runNoun, runsOf } from "../wording.ts";

/** A column of the leaderboard. */
interface Column {
  title: string;
  cell: (setting: SettingSummary) => Inline;
  /** Of a row of a baseline that ignores the expression. */
  floor: (floor: Floor) => Inline;
}

/** All configurations, the best first, with the difference to the reference; then what ignores the expression, and published figures. */
export function leaderboard(
  summary: Summary,
  chart: ReportImage,
  published: readonly PublishedResult[] = [],
): RootContent[] {
  const columns = columnsOf(summary);
  // The image-only answers have a column.
  const floors = floorsOf(summary).filter(({ name }) => name !== "image_only");
  return [
    heading(2, "Leaderboard"),
    images([chart]),
    paragraph(
      [
        ...notes(summary, floors.length),
        ...(published.length === 0
          ? []
          : ["Published figures have no answers: they have no interval, and are compared with nothing."]),
      ].join(" "),
    ),
    table(
      columns.map(({ title }) => title),
      [
        ...summary.settings.map((setting) => columns.map(({ cell }) => cell(setting))),
        ...floors.map((each) => columns.map(({ floor }) => floor(each))),
        ...published.map((each) => columns.map(({ title }) => publishedCell(each, title))),
      ],
    ),
  ];
}

const accuracyTitle = "Acc@0.5";

/** Only the name and the figure. */
function publishedCell({ label, source, value }: PublishedResult, title: string): Inline {
  if (title === accuracyTitle) return emphasis(points(value));
  return title.endsWith("(values in %)") ? emphasis(`${label} (published: ${source})`) : noValue;
}

function columnsOf(summary: Summary): Column[] {
  const { settings } = summary;
  const runs = runNoun(settings.map(runsOf));
  const reference = referenceOf(summary);
  const comparisons = comparisonsOf(summary, reference);
  const empty = (): string => noValue;
  const columns: (Column & { isShown: boolean })[] = [
    {
      title: `${rowNoun(settings)} (values in %)`,
      cell: ({ label, is_upper_bound }) => (is_upper_bound ? emphasis(`upper bound: ${label}`) : label),
      floor: ({ title }) => emphasis(title),
      isShown: true,
    },
    {
      title: "rank",
      cell: ({ rank }) => rankRange(rank),
      floor: empty,
      isShown: settings.filter(({ rank }) => rank !== null).length > 1,
    },
    {
      title: accuracyTitle,
      cell: (setting) => {
        const figure = figureOf(setting, "acc_at_50");
        return figure === undefined ? noValue : interval(figure.interval);
      },
      floor: ({ acc_at_50 }) => interval(acc_at_50),
      isShown: true,
    },
    {
      title: "interval for",
      cell: ({ population }) => populationNames[population],
      floor: empty,
      isShown: hasIntervals(summary) && populationsOf(summary).size > 1,
    },
    {
      title: `difference to ${quoteLabel(reference)}`,
      cell: ({ label }) => {
        const comparison = comparisons.get(label);
        if (comparison !== undefined) return signedInterval(negated(comparison.difference));
        return label === reference ? "reference" : noValue;
      },
      floor: empty,
      isShown: comparisons.size > 0,
    },
    {
      title: "p (Holm)",
      cell: ({ label }) => pValue(comparisons.get(label)?.p_adjusted ?? null),
      floor: empty,
      isShown: [...comparisons.values()].some(({ p_adjusted }) => p_adjusted !== null),
    },
    {
      title: "image only",
      cell: ({ blank }) => (blank === null ? noValue : points(blank.acc_at_50.mean)),
      floor: empty,
      isShown: settings.some(({ blank }) => blank !== null),
    },
    {
      title: `${runs} SD`,
      cell: ({ seed_sd }) => (seed_sd === null ? noValue : points(seed_sd)),
      floor: empty,
      isShown: settings.some(({ seed_sd }) => seed_sd !== null),
    },
    {
      title: `Acc@0.5 per ${runs}`,
      cell: listSeeds,
      floor: empty,
      isShown: hasRuns(settings.map(runsOf)),
    },
  ];
  return columns.filter(({ isShown }) => isShown);
}

/** What an interval is about. */
export const populationNames = { procedure: "procedure", checkpoints: "checkpoints" } as const;

/** Of the configurations that are compared. */
function populationsOf(summary: Summary): Set<SettingSummary["population"]> {
  return new Set(comparedSettings(summary).map(({ population }) => population));
}

/** All but upper bounds, unless there is nothing else. */
function comparedSettings({ settings }: Summary): SettingSummary[] {
  const candidates = settings.filter(({ is_upper_bound }) => !is_upper_bound);
  return candidates.length > 0 ? candidates : settings;
}

function notes(summary: Summary, num_floors: number): string[] {
  const { settings, split, baseline, num_images } = summary;
  const reference = referenceOf(summary);
  const populations = populationsOf(summary);
  const compared = comparedSettings(summary);
  const trains = settings.some(({ kind }) => kind === "cliprpn");
  const isEnough = hasIntervals(summary);
  const noun = rowNoun(settings);
  const steps = repeatedSteps(settings.map(runsOf));
  return [
    ...(isSelectedOnVal(summary)
      ? split === "val"
        ? []
        : [`${capitalized(noun)}s are in the order of their results on val, where they are selected.`]
      : [`${capitalized(noun)}s are in the order of their results on ${split}.`]),
    ...(isEnough ? [] : [`${counted(num_images, "image")} are too few for intervals, p values and ranks.`]),
    ...(isEnough && populations.size === 1 && populations.has("procedure")
      ? [
          settings.some(({ kind }) => kind === "results")
            ? `Intervals hold for ${steps}, on new images.`
            : "Intervals hold for the training procedure: training again with other seeds, on new images.",
        ]
      : []),
    ...(isEnough && populations.size === 1 && populations.has("checkpoints")
      ? [
          trains
            ? "Intervals hold for these checkpoints on new images; with one seed, nothing is known about training again."
            : "Intervals hold for these models on new images.",
        ]
      : []),
    ...(isEnough && populations.size > 1
      ? [
          `“Procedure” intervals hold for ${steps}, on new images; “checkpoints” intervals for these models on new images.`,
        ]
      : []),
    ...(compared.length > 1
      ? [
          `Differences are in points, from ${quoteLabel(reference)}${reference === baseline ? ", the declared baseline" : ""}${isEnough ? `; p is adjusted for all ${split === "val" || !isSelectedOnVal(summary) ? `pairs of ${noun}s` : "rows"} by Holm's procedure` : ""}.`,
        ]
      : []),
    ...(settings.some(({ blank }) => blank !== null)
      ? ["Image only is Acc@0.5 of the same models with an empty expression."]
      : []),
    ...(settings.some(({ is_upper_bound }) => is_upper_bound)
      ? [
          `An upper bound gets the annotated boxes of all objects, which no detector has. It shows the limit of its ranking.${settings.every(({ is_upper_bound }) => is_upper_bound) ? "" : ` It is not compared with other ${noun}s.`}`,
        ]
      : []),
    ...(num_floors === 0
      ? []
      : [`The last ${num_floors === 1 ? "row ignores" : `${num_floors} rows ignore`} the expression.`]),
  ];
}

/** "1 to 3", "1". */
function rankRange(rank: SettingSummary["rank"]): string {
  if (rank === null) return noValue;
  return rank.low === rank.high ? String(rank.low) : `${rank.low}\u00a0to\u00a0${rank.high}`;
}

/** "0: 60.0, 1: 62.0"; the single value of a fixed model without a seed. */
function listSeeds(setting: SettingSummary): string {
  const runs = figureOf(setting, "acc_at_50")?.per_seed ?? [];
  return runs
    .map(({ seed, value }) =>
      countRuns(runsOf(setting)) === undefined ? points(value) : `${seed}:\u00a0${points(value)}`,
    )
    .join(", ");
}
