import type { Interval, MetricName, Report, SettingSummary } from "../../contract/generated/types.ts";
import { availableMetrics, figureOf, floorsOf, metricTitles } from "../figures.ts";
import { meaningOf, plusMinus, rowLabel, tableOf } from "./latex-table.ts";
import { latexText } from "./latex-text.ts";

/** The leaderboard as a LaTeX table: configurations, upper bounds, then baselines that ignore the expression. */
export function latexLeaderboard(report: Report): string {
  const { summary, name } = report;
  const metrics = availableMetrics(summary.settings, ["acc_at_50", "miou", "pair_accuracy"]);
  const bounds = summary.settings.filter((setting) => setting.is_upper_bound);
  const row = (setting: SettingSummary): string[] => [
    rowLabel(setting, summary.settings),
    ...metrics.map((metric) => plusMinus(figureOf(setting, metric)?.interval)),
    setting.kind === "baseline" ? "" : String(setting.seeds.length),
  ];
  const floors = floorsOf(summary).map((floor) => [
    `\\emph{${latexText(floor.title)}}`,
    ...metrics.map((metric) => plusMinus(floorFigure(floor, metric))),
    "",
  ]);
  return tableOf({
    caption: `Results of ${latexText(name)} on ${summary.split} (${summary.num_sentences} referring expressions in ${summary.num_images} images), in \\%. ${meaningOf(summary, summary.settings)}`,
    label: `${name}-${summary.split}-leaderboard`,
    align: `l${"r".repeat(metrics.length + 1)}`,
    head: ["Configuration", ...metrics.map((metric) => latexText(metricTitles[metric])), "Seeds"],
    groups: [summary.settings.filter((setting) => !setting.is_upper_bound).map(row), bounds.map(row), floors],
    comments: [],
  });
}

function floorFigure(
  floor: { acc_at_50: Interval; miou: Interval | undefined },
  metric: MetricName,
): Interval | undefined {
  return metric === "acc_at_50" || metric === "miou" ? floor[metric] : undefined;
}
