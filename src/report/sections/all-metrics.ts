import type { RootContent } from "mdast";
import type { MetricName, PublishedFigure, Summary } from "../../contract/generated/types.ts";
import { availableMetrics, figureOf, metricTitles } from "../figures.ts";
import { heading, longTable, paragraph } from "../markdown.ts";
import { interval, noValue, points, range } from "../points.ts";
import { hasRuns, rowNoun, runNoun, runsOf } from "../wording.ts";

/**
 * The mean of every metric, in two tables that fit a page.
 *
 * @param json the report's file for programs.
 */
export function allMetrics({ settings }: Summary, json: string): RootContent[] {
  const runs = settings.map(runsOf);
  const noun = runNoun(runs);
  return [
    heading(2, "All metrics"),
    paragraph(
      `${hasRuns(runs) ? `Means over ${noun}s, in %; intervals and the results of each ${noun} are` : "In %; intervals are"} in ${json}.`,
    ),
    ...metricGroups.flatMap(({ title, metrics: wanted, hasCategories }) => {
      const metrics = availableMetrics(settings, wanted);
      const rows = settings.map((setting) => [
        setting.label,
        ...metrics.map((metric) => {
          const figure = figureOf(setting, metric);
          return figure === undefined ? noValue : points(figure.interval.mean);
        }),
        ...(hasCategories ? [points(setting.category_macro_acc_at_50)] : []),
      ]);
      const head = [
        rowNoun(settings),
        ...metrics.map((metric) => metricTitles[metric]),
        ...(hasCategories ? ["Acc@0.5, mean over categories"] : []),
      ];
      return [paragraph(title), ...longTable(head, rows)];
    }),
  ];
}

const metricGroups: { title: string; metrics: MetricName[]; hasCategories: boolean }[] = [
  {
    title: "IoU of the highest-scoring box:",
    metrics: ["acc_at_25", "acc_at_50", "acc_at_75", "acc_at_90", "macc", "miou", "oiou"],
    hasCategories: false,
  },
  {
    title: "Ranking, center accuracy, minimal pairs and categories:",
    metrics: ["recall_at_1", "recall_at_5", "recall_at_10", "recall_at_100", "pointing", "pair_accuracy"],
    hasCategories: true,
  },
];

/** Every configuration next to the published range for this split. */
export function publishedResults(summary: Summary, published: PublishedFigure[]): RootContent[] {
  const rows = published
    .filter(({ split }) => split === summary.split)
    .flatMap(({ metric, low, high, source, verified }) =>
      summary.settings.map((setting) => {
        const measured = figureOf(setting, metric)?.interval;
        return [
          setting.label,
          metricTitles[metric],
          source,
          verified ? "yes" : "no",
          range(points(low), points(high)),
          measured === undefined ? noValue : interval(measured),
          measured === undefined ? noValue : comparedWith(measured.mean, low, high),
        ];
      }),
    );
  if (rows.length === 0) return [];
  return [
    heading(2, "Comparison with published results"),
    ...longTable(
      ["configuration", "metric", "source", "verified", "published (%)", "this sweep (%)", "position"],
      rows,
      4,
      "",
    ),
  ];
}

function comparedWith(mean: number, low: number, high: number): string {
  return mean < low ? "below" : mean > high ? "above" : "inside";
}
