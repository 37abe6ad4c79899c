import type {
  Interval,
  MetricName,
  Population,
  Report,
  SettingSummary,
  Summary,
} from "../../contract/generated/types.ts";
import { availableMetrics, type Floor, figureOf, floorsOf, metricTitles } from "../figures.ts";
import { capitalized, countRuns, repeatedSteps, rowNoun, runNoun, runsOf } from "../wording.ts";
import { markOf, meaningOf, plusMinus, tableOf, trainingOf } from "./latex-table.ts";
import { latexText } from "./latex-text.ts";

/** The leaderboard as a LaTeX table: configurations, upper bounds, then baselines that ignore the expression. */
export function latexLeaderboard(report: Report): string {
  const { summary, name } = report;
  const metrics = availableMetrics(summary.settings, ["acc_at_50", "miou", "pair_accuracy"]);
  const bounds = summary.settings.filter((setting) => setting.is_upper_bound);
  const floors = floorsOf(summary);
  const populations = [
    ...summary.settings.map(({ population }) => population),
    ...floors.flatMap((floor) => populationOf(floor, summary) ?? []),
  ];
  const runs = summary.settings.map(runsOf);
  const row = (setting: SettingSummary): string[] => [
    settingName(setting) + markOf(setting.population, populations),
    ...metrics.map((metric) => plusMinus(figureOf(setting, metric)?.interval)),
    countRuns(runsOf(setting)) === undefined ? "" : String(setting.seeds.length),
  ];
  const floorRow = (floor: Floor): string[] => [
    `\\emph{${latexText(floor.title)}}${markOf(populationOf(floor, summary), populations)}`,
    ...metrics.map((metric) => plusMinus(floorFigure(floor, metric))),
    "",
  ];
  return tableOf({
    caption: `Results of ${latexText(name)} on ${summary.split} (${summary.num_sentences} referring expressions in ${summary.num_images} images), in \\%. ${meaningOf(summary, populations, repeatedSteps(runs))}${trainingOf(report.training_set)}`,
    label: `${name}-${summary.split}-leaderboard`,
    align: `l${"r".repeat(metrics.length + 1)}`,
    head: [
      capitalized(rowNoun(summary.settings)),
      ...metrics.map((metric) => latexText(metricTitles[metric])),
      `${capitalized(runNoun(runs))}s`,
    ],
    groups: [
      summary.settings.filter((setting) => !setting.is_upper_bound).map(row),
      bounds.map(row),
      floors.map(floorRow),
    ],
    comments: [],
  });
}

function settingName({ is_upper_bound, label }: SettingSummary): string {
  return is_upper_bound ? `\\emph{upper bound: ${latexText(label)}}` : latexText(label);
}

/** A constant box and the whole image train nothing. Undefined for chance, which has no interval. */
function populationOf({ name, acc_at_50 }: Floor, { settings: [best] }: Summary): Population | undefined {
  if (acc_at_50.low === null) return undefined;
  return name === "image_only" ? best?.population : "checkpoints";
}

function floorFigure(floor: Floor, metric: MetricName): Interval | undefined {
  return metric === "acc_at_50" || metric === "miou" ? floor[metric] : undefined;
}
