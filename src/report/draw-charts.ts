import { join } from "node:path";
import { replaceFile } from "../base/replace-file.ts";
import type { SettingSummary } from "../contract/generated/types.ts";
import { errorsChart } from "./charts/baseline-errors.ts";
import { type ChartSpec, maxDrawn, renderSvg } from "./charts/chart-spec.ts";
import { curvesChart } from "./charts/curves.ts";
import { leaderboardChart } from "./charts/leaderboard.ts";
import { subsetsChart } from "./charts/subsets.ts";
import { completedTrials, type ReportImage, type ReportInput } from "./report-input.ts";

/** The report's charts; undefined where there is nothing to draw. */
export interface Charts {
  leaderboard: ReportImage;
  boxes: ReportImage | undefined;
  subsets: ReportImage | undefined;
  curves: ReportImage | undefined;
}

/**
 * Draws the charts as SVG.
 *
 * @param place where they go, relative to the folder.
 */
export async function drawCharts(
  { summary, trials }: ReportInput,
  folder: string,
  place: string,
): Promise<Charts> {
  const draw = async (name: string, spec: ChartSpec, alt: string): Promise<ReportImage> => {
    const file = `${place}/${name}.svg`;
    replaceFile(join(folder, file), await renderSvg(spec));
    return { file, alt };
  };
  const drawIf = async (
    name: string,
    spec: ChartSpec | undefined,
    alt: string,
  ): Promise<ReportImage | undefined> => (spec === undefined ? undefined : draw(name, spec, alt));
  const trained = summary.settings.filter(({ kind }) => kind === "cliprpn");
  return {
    leaderboard: await draw(
      "leaderboard",
      leaderboardChart(summary),
      `Acc@0.5 of each configuration with its interval${trained.length > 0 ? " and a dot per seed" : ""}; dashed lines are baselines that ignore the expression`,
    ),
    boxes: await drawIf(
      "boxes",
      errorsChart(summary),
      "Correct predictions, ranking errors and detection errors of each baseline",
    ),
    subsets: await drawIf(
      "strata",
      subsetsChart(summary),
      `Acc@0.5 of ${nameDrawn(summary.settings)} by subset, with intervals`,
    ),
    curves: await drawIf(
      "curves",
      curvesChart(summary, completedTrials(trials)),
      `Acc@0.5 on val of ${nameDrawn(trained)} after each epoch; thin lines are seeds, thick lines their mean`,
    ),
  };
}

function nameDrawn(settings: SettingSummary[]): string {
  return settings.length > maxDrawn ? `the ${maxDrawn} best configurations` : "each configuration";
}
