import type { RootContent } from "mdast";
import { counted } from "../../base/format.ts";
import type { SettingSummary, Summary } from "../../contract/generated/types.ts";
import { comparisonsOf, type Floor, figureOf, floorsOf, hasIntervals, referenceOf } from "../figures.ts";
import { emphasis, heading, type Inline, images, paragraph, table } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { interval, negated, noValue, points, pValue, signedInterval } from "../points.ts";
import type { ReportImage } from "../report-input.ts";

/** A column of the leaderboard. */
interface Column {
  title: string;
  cell: (setting: SettingSummary) => Inline;
  /** Of a row of a baseline that ignores the expression. */
  floor: (floor: Floor) => Inline;
}

/** All configurations, best on val first, with the difference to the reference; then what ignores the expression. */
export function leaderboard(summary: Summary, chart: ReportImage): RootContent[] {
  const columns = columnsOf(summary);
  // The image-only answers have a column.
  const floors = floorsOf(summary).filter(({ name }) => name !== "image_only");
  return [
    heading(2, "Leaderboard"),
    images([chart]),
    paragraph(notes(summary, floors.length).join(" ")),
    table(
      columns.map(({ title }) => title),
      [
        ...summary.settings.map((setting) => columns.map(({ cell }) => cell(setting))),
        ...floors.map((each) => columns.map(({ floor }) => floor(each))),
      ],
    ),
  ];
}

function columnsOf(summary: Summary): Column[] {
  const { settings } = summary;
  const reference = referenceOf(summary);
  const comparisons = comparisonsOf(summary, reference);
  const empty = (): string => noValue;
  const columns: (Column & { isShown: boolean })[] = [
    {
      title: "configuration (values in %)",
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
      title: "Acc@0.5",
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
      title: "seed SD",
      cell: ({ seed_sd }) => (seed_sd === null ? noValue : points(seed_sd)),
      floor: empty,
      isShown: settings.some(({ seed_sd }) => seed_sd !== null),
    },
    {
      title: "Acc@0.5 per seed",
      cell: listSeeds,
      floor: empty,
      isShown: settings.some(({ kind }) => kind === "cliprpn"),
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
  return [
    ...(split === "val"
      ? []
      : ["Configurations are in the order of their results on val, where they are selected."]),
    ...(isEnough ? [] : [`${counted(num_images, "image")} are too few for intervals, p values and ranks.`]),
    ...(isEnough && populations.size === 1 && populations.has("procedure")
      ? ["Intervals hold for the training procedure: training again with other seeds, on new images."]
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
          "“Procedure” intervals hold for training again with other seeds, on new images; “checkpoints” intervals for these models on new images.",
        ]
      : []),
    ...(compared.length > 1
      ? [
          `Differences are in points, from ${quoteLabel(reference)}${reference === baseline ? ", the declared baseline" : ""}${isEnough ? `; p is adjusted for all ${split === "val" ? "pairs of configurations" : "rows"} by Holm's procedure` : ""}.`,
        ]
      : []),
    "Image only is Acc@0.5 of the same models with an empty expression.",
    ...(settings.some(({ is_upper_bound }) => is_upper_bound)
      ? [
          `An upper bound gets the annotated boxes of all objects, which no detector has. It shows the limit of its ranking.${settings.every(({ is_upper_bound }) => is_upper_bound) ? "" : " It is not compared with other configurations."}`,
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

/** "0: 60.0, 1: 62.0"; the single value of a baseline without a seed. */
function listSeeds(setting: SettingSummary): string {
  const runs = figureOf(setting, "acc_at_50")?.per_seed ?? [];
  return runs
    .map(({ seed, value }) =>
      setting.kind === "baseline" ? points(value) : `${seed}:\u00a0${points(value)}`,
    )
    .join(", ");
}
