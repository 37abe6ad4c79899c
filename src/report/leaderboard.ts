import type { RootContent } from "mdast";
import type { MetricName, SettingSummary, Summary } from "../contract/generated/types.ts";
import { ceilings, figureOf, floorNames, metricTitles, none, present } from "./figures.ts";
import { emphasis, heading, type Inline, images, paragraph, table } from "./markdown.ts";
import { interval, points, quoted, signedInterval } from "./points.ts";
import type { Picture } from "./report-input.ts";
import { judged } from "./verdict.ts";

/** Settings, best on val first, with every seed's figure; ceilings and floors below. */
export function leaderboard(summary: Summary, chart: Picture): RootContent[] {
  const { split, settings, floors } = summary;
  const tops = ceilings(summary);
  const seeded = settings.some(({ kind }) => kind === "cliprpn");
  const shown = present(settings, ["acc_at_50", "miou", "pair_accuracy"]);
  const rows = settings.map((setting): Inline[] => [
    tops.has(setting.label) ? emphasis(`ceiling: ${setting.label}`) : setting.label,
    ...shown.map((metric) => {
      const figure = figureOf(setting, metric);
      return figure === undefined ? none : interval(figure.interval);
    }),
    ...(seeded ? [bySeed(setting)] : []),
  ]);
  const floorRows = floors.map((floor): Inline[] => [
    emphasis(`floor: ${floorNames[floor.name]}`),
    ...shown.map((metric) => (metric === "acc_at_50" || metric === "miou" ? interval(floor[metric]) : none)),
    ...(seeded ? [none] : []),
  ]);
  return [
    heading(2, "Leaderboard"),
    images([chart]),
    ...(split === "val" ? [] : [paragraph("The order is that of val, on which settings are chosen.")]),
    ...(tops.size === 0
      ? []
      : [
          paragraph(
            "A ceiling is given the annotated boxes of all objects, which no detector has: it shows how far the ranking goes, and competes with nobody.",
          ),
        ]),
    table(
      [
        "setting (figures in %)",
        ...shown.map((metric) => metricTitles[metric]),
        ...(seeded ? ["Acc@0.5 by seed"] : []),
      ],
      [...rows, ...floorRows],
    ),
  ];
}

/** "0: 60.0, 1: 62.0"; a baseline's one value without a seed. */
function bySeed(setting: SettingSummary): string {
  const runs = figureOf(setting, "acc_at_50")?.per_seed ?? [];
  return runs
    .map(({ seed, value }) => (setting.kind === "baseline" ? points(value) : `${seed}: ${points(value)}`))
    .join(", ");
}

export function comparisons(summary: Summary): RootContent[] {
  const rows = judged(summary);
  const [best] = summary.settings;
  const seeded = rows.some(({ seeds }) => seeds > 0);
  if (rows.length === 0 || best === undefined) return [];
  return [
    heading(2, "Is the best one really better?"),
    paragraph(
      `${quoted(best.label)} minus each other setting, Acc@0.5 on the same sentences, in points. An interval that holds 0 means that these images cannot tell. Each interval stands for itself: the more settings are compared, the more the first place owes to luck.${seeded && summary.settings.some(({ kind }) => kind === "baseline") ? " A baseline's one run stands for every seed." : ""}`,
    ),
    table(
      ["against", "difference", ...(seeded ? ["seeds ahead"] : [])],
      rows.map(({ against, difference, ahead, seeds }) => [
        against,
        signedInterval(difference),
        ...(seeded ? [seeds === 0 ? none : `${ahead} of ${seeds}`] : []),
      ]),
    ),
  ];
}

/** Every figure's mean, in two tables of bearable width. */
export function allFigures({ settings, split }: Summary): RootContent[] {
  const seeded = settings.some(({ kind }) => kind === "cliprpn");
  return [
    heading(2, "All figures"),
    paragraph(
      `${seeded ? "Means over seeds, in %; intervals and seeds are" : "In %; intervals are"} in summary-${split}.json.`,
    ),
    ...groups.flatMap(([title, metrics]) => {
      const shown = present(settings, metrics);
      const rows = table(
        ["setting", ...shown.map((metric) => metricTitles[metric])],
        settings.map((setting) => [
          setting.label,
          ...shown.map((metric) => {
            const figure = figureOf(setting, metric);
            return figure === undefined ? none : points(figure.interval.mean);
          }),
        ]),
      );
      return [paragraph(title), rows];
    }),
  ];
}

const groups: [title: string, metrics: MetricName[]][] = [
  ["Of the best-scoring box:", ["acc_at_25", "acc_at_50", "acc_at_75", "acc_at_90", "macc", "miou", "oiou"]],
  [
    "Of the ranking, the box's centre, and minimal pairs:",
    ["recall_at_1", "recall_at_5", "recall_at_10", "recall_at_100", "pointing", "pair_accuracy"],
  ],
];
