import { join } from "node:path";
import { replaceFile } from "../../base/replace-file.ts";
import { completedTrials, type ReportImage, type ReportInput } from "../report-input.ts";
import { accuracyAtIouChart } from "./accuracy-at-iou.ts";
import { errorsChart } from "./baseline-errors.ts";
import type { Chart } from "./chart-spec.ts";
import { curvesChart } from "./curves.ts";
import { errorClassesChart } from "./error-classes.ts";
import { forestChart } from "./forest.ts";
import { leaderboardChart } from "./leaderboard.ts";
import { paretoChart } from "./pareto.ts";
import { reliabilityChart } from "./reliability.ts";
import { renderSvg } from "./render-svg.ts";
import { riskCoverageChart } from "./risk-coverage.ts";
import { splitsChart } from "./splits.ts";
import { subsetDifferencesChart } from "./subset-differences.ts";

/** The report's charts; without one where there is nothing to draw. */
export interface Charts {
  leaderboard: ReportImage;
  differences?: ReportImage | undefined;
  boxes?: ReportImage | undefined;
  subsets?: ReportImage | undefined;
  accuracyAtIou?: ReportImage | undefined;
  errorClasses?: ReportImage | undefined;
  riskCoverage?: ReportImage | undefined;
  reliability?: ReportImage | undefined;
  curves?: ReportImage | undefined;
  time?: ReportImage | undefined;
  splits?: ReportImage | undefined;
}

/**
 * Draws the charts as SVG.
 *
 * @param place where they go, relative to the folder.
 */
export async function drawCharts(input: ReportInput, folder: string, place: string): Promise<Charts> {
  const draw = async (name: string, chart: Chart): Promise<ReportImage> => {
    const file = `${place}/${name}.svg`;
    replaceFile(join(folder, file), await renderSvg(chart, name));
    return { file, alt: chart.alt };
  };
  const { summary } = input;
  const optional: [key: keyof Charts, name: string, chart: Chart | undefined][] = [
    ["differences", "differences", forestChart(summary)],
    ["boxes", "boxes", errorsChart(summary)],
    ["subsets", "strata", subsetDifferencesChart(summary)],
    ["accuracyAtIou", "accuracy-at-iou", accuracyAtIouChart(summary)],
    ["errorClasses", "error-classes", errorClassesChart(summary)],
    ["riskCoverage", "risk-coverage", riskCoverageChart(summary)],
    ["reliability", "reliability", reliabilityChart(summary)],
    ["curves", "curves", curvesChart(summary, completedTrials(input.trials))],
    ["time", "time", paretoChart(input)],
    ["splits", "splits", input.combined === undefined ? undefined : splitsChart(input.combined)],
  ];
  const charts: Charts = { leaderboard: await draw("leaderboard", leaderboardChart(summary)) };
  for (const [key, name, chart] of optional) if (chart !== undefined) charts[key] = await draw(name, chart);
  return charts;
}
