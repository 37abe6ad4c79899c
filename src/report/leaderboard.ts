import type { RootContent } from "mdast";
import type { MetricName, Summary } from "../contract/generated/types.ts";
import { floorNames } from "./charts.ts";
import { figureOf, metricTitles, none, present } from "./figures.ts";
import { interval, points, signedInterval } from "./format.ts";
import { heading, type Inline, images, paragraph, table } from "./markdown.ts";
import type { Picture } from "./report-input.ts";
import { judged } from "./verdict.ts";

/** Settings, best on val first, with every seed's figure; floors below. */
export function leaderboard({ split, settings, floors }: Summary, chart: Picture): RootContent[] {
  const shown = present(settings, ["acc_at_50", "miou", "pair_accuracy"]);
  const rows = settings.map((setting) => [
    setting.label,
    ...shown.map((metric) => {
      const figure = figureOf(setting, metric);
      return figure === undefined ? none : interval(figure.interval);
    }),
    (figureOf(setting, "acc_at_50")?.per_seed ?? [])
      .map(({ seed, value }) => `${seed}: ${points(value)}`)
      .join(", "),
  ]);
  const floorRows = floors.map((floor): Inline[] => [
    { type: "emphasis", children: [{ type: "text", value: `floor: ${floorNames[floor.name]}` }] },
    ...shown.map((metric) => (metric === "acc_at_50" || metric === "miou" ? interval(floor[metric]) : none)),
    none,
  ]);
  return [
    heading(2, "Leaderboard"),
    images([chart]),
    ...(split === "val" ? [] : [paragraph("The order is that of val, on which settings are chosen.")]),
    table(
      ["setting (figures in %)", ...shown.map((metric) => metricTitles[metric]), "Acc@0.5 by seed"],
      [...rows, ...floorRows],
    ),
  ];
}

export function comparisons(summary: Summary): RootContent[] {
  const rows = judged(summary);
  const [best] = summary.settings;
  if (rows.length === 0 || best === undefined) return [];
  return [
    heading(2, "Is the best one really better?"),
    paragraph(
      `${best.label} minus each other setting, Acc@0.5 on the same sentences, in points. An interval that holds 0 means that these pictures cannot tell. Each interval stands for itself: the more settings are compared, the more the first place owes to luck.`,
    ),
    table(
      ["against", "difference", "seeds ahead"],
      rows.map(({ against, difference, ahead, seeds }) => [
        against,
        signedInterval(difference),
        seeds === 0 ? none : `${ahead} of ${seeds}`,
      ]),
    ),
  ];
}

/** Every figure's mean, in two tables of bearable width. */
export function allFigures({ settings, split }: Summary): RootContent[] {
  return [
    heading(2, "All figures"),
    paragraph(`Means over seeds, in %; intervals and seeds are in summary-${split}.json.`),
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
