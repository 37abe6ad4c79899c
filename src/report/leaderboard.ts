import type { RootContent } from "mdast";
import type { MetricName, PublishedFigure, SettingSummary, Summary } from "../contract/generated/types.ts";
import { availableMetrics, figureOf, floorsOf, metricTitles, upperBounds } from "./figures.ts";
import { emphasis, heading, type Inline, images, paragraph, table } from "./markdown.ts";
import { interval, noValue, points, range, signedInterval } from "./points.ts";
import { quoteLabel, type ReportImage } from "./report-input.ts";

/** Configurations, best on val first, with the result of every seed; then baselines that ignore the expression. */
export function leaderboard(summary: Summary, chart: ReportImage): RootContent[] {
  const { split, settings } = summary;
  const floors = floorsOf(summary);
  const bounds = upperBounds(summary);
  const seeded = settings.some(({ kind }) => kind === "cliprpn");
  const metrics = availableMetrics(settings, ["acc_at_50", "miou", "pair_accuracy"]);
  const rows = settings.map((setting): Inline[] => [
    bounds.has(setting.label) ? emphasis(`upper bound: ${setting.label}`) : setting.label,
    ...metrics.map((metric) => intervalOf(setting, metric)),
    ...(seeded ? [listSeeds(setting)] : []),
  ]);
  const floorRows = floors.map((floor): Inline[] => [
    emphasis(floor.title),
    ...metrics.map((metric) => {
      const value = metric === "acc_at_50" || metric === "miou" ? floor[metric] : undefined;
      return value === undefined ? noValue : interval(value);
    }),
    ...(seeded ? [noValue] : []),
  ]);
  const notes = [
    ...(split === "val"
      ? []
      : ["Configurations are in the order of their results on val, where they are selected."]),
    ...(bounds.size === 0
      ? []
      : [
          "An upper bound gets the annotated boxes of all objects, which no detector has. It shows the limit of its ranking and is not compared with other configurations.",
        ]),
    ...(floors.length === 0
      ? []
      : [
          `The last ${floors.length === 1 ? "row is a baseline that ignores" : "rows are baselines that ignore"} the expression.`,
        ]),
  ];
  return [
    heading(2, "Leaderboard"),
    images([chart]),
    ...(notes.length === 0 ? [] : [paragraph(notes.join(" "))]),
    table(
      [
        "configuration (values in %)",
        ...metrics.map((metric) => metricTitles[metric]),
        ...(seeded ? ["Acc@0.5 per seed"] : []),
      ],
      [...rows, ...floorRows],
    ),
  ];
}

function intervalOf(setting: SettingSummary, metric: MetricName): string {
  const figure = figureOf(setting, metric);
  return figure === undefined ? noValue : interval(figure.interval);
}

/** "0: 60.0, 1: 62.0"; the single value of a baseline without a seed. */
function listSeeds(setting: SettingSummary): string {
  const runs = figureOf(setting, "acc_at_50")?.per_seed ?? [];
  return runs
    .map(({ seed, value }) => (setting.kind === "baseline" ? points(value) : `${seed}: ${points(value)}`))
    .join(", ");
}

/** The best configuration and the declared baseline compared with every other configuration. */
export function comparisons(summary: Summary): RootContent[] {
  const references = [...new Set(summary.comparisons.map(({ label }) => label))];
  return references.flatMap((reference) => {
    const rows = summary.comparisons
      .filter(({ label }) => label === reference)
      .map(({ against, difference, p_adjusted, detectable }) => [
        against,
        signedInterval(difference),
        p_adjusted === null ? noValue : p_adjusted < 0.001 ? "< 0.001" : p_adjusted.toFixed(3),
        detectable === null ? noValue : points(detectable),
      ]);
    return [
      heading(2, `Comparison with ${quoteLabel(reference)}`),
      paragraph(
        `Acc@0.5 of ${quoteLabel(reference)} minus Acc@0.5 of each other configuration on the same expressions, in percentage points.`,
      ),
      table(["compared with", "difference", "p (Holm)", "detectable difference"], rows),
    ];
  });
}

/** The mean of every metric, in two tables that fit a page. */
export function allMetrics({ settings, split }: Summary): RootContent[] {
  const seeded = settings.some(({ kind }) => kind === "cliprpn");
  return [
    heading(2, "All metrics"),
    paragraph(
      `${seeded ? "Means over seeds, in %; intervals and the results of each seed are" : "In %; intervals are"} in summary-${split}.json.`,
    ),
    ...metricGroups.flatMap(([title, group]) => {
      const metrics = availableMetrics(settings, group);
      const rows = settings.map((setting) => [
        setting.label,
        ...metrics.map((metric) => {
          const figure = figureOf(setting, metric);
          return figure === undefined ? noValue : points(figure.interval.mean);
        }),
      ]);
      return [
        paragraph(title),
        table(["configuration", ...metrics.map((metric) => metricTitles[metric])], rows),
      ];
    }),
  ];
}

const metricGroups: [title: string, metrics: MetricName[]][] = [
  [
    "IoU of the highest-scoring box:",
    ["acc_at_25", "acc_at_50", "acc_at_75", "acc_at_90", "macc", "miou", "oiou"],
  ],
  [
    "Ranking, center accuracy and minimal pairs:",
    ["recall_at_1", "recall_at_5", "recall_at_10", "recall_at_100", "pointing", "pair_accuracy"],
  ],
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
    table(
      ["configuration", "metric", "source", "verified", "published (%)", "this sweep (%)", "position"],
      rows,
      4,
    ),
  ];
}

function comparedWith(mean: number, low: number, high: number): string {
  return mean < low ? "below" : mean > high ? "above" : "inside";
}
