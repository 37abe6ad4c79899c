import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { SettingSummary } from "../contract/generated/types.ts";
import { boxesChart } from "./charts/boxes.ts";
import { curvesChart } from "./charts/curves.ts";
import { leaderboardChart } from "./charts/leaderboard.ts";
import { maxDrawn } from "./charts/settings.ts";
import { chartSvg, type Spec } from "./charts/spec.ts";
import { strataChart } from "./charts/strata.ts";
import { completedTrials, type Picture, type ReportInput } from "./report-input.ts";

/** The report's charts; undefined where there is nothing to draw. */
export interface Charts {
  leaderboard: Picture;
  boxes: Picture | undefined;
  strata: Picture | undefined;
  curves: Picture | undefined;
}

/**
 * Draws them as SVG.
 *
 * @param place below the folder, where they go.
 */
export async function drawCharts(
  { summary, trials }: ReportInput,
  folder: string,
  place: string,
): Promise<Charts> {
  const drawn = async (name: string, spec: Spec, alt: string): Promise<Picture> => {
    const file = `${place}/${name}.svg`;
    await writeFileAtomic(join(folder, file), await chartSvg(spec));
    return { file, alt };
  };
  const drawnIf = async (name: string, spec: Spec | undefined, alt: string): Promise<Picture | undefined> =>
    spec === undefined ? undefined : drawn(name, spec, alt);
  const curves = completedTrials(trials).map(({ spec: { label, seed }, outcome }) => ({
    label,
    seed,
    outcome,
  }));
  const learners = summary.settings.filter(({ kind }) => kind === "cliprpn");
  return {
    leaderboard: await drawn(
      "leaderboard",
      leaderboardChart(summary),
      `Acc@0.5 of each setting with its interval, ${learners.length > 0 ? "a dot a seed, " : ""}floors dashed`,
    ),
    boxes: await drawnIf(
      "boxes",
      boxesChart(summary),
      "Sentences that each baseline finds, loses by its ranking and loses by its boxes",
    ),
    strata: await drawnIf(
      "strata",
      strataChart(summary),
      `Acc@0.5 of ${those(summary.settings)} by kind of sentence, with intervals`,
    ),
    curves: await drawnIf(
      "curves",
      curvesChart(summary, curves),
      `Acc@0.5 on val of ${those(learners)} after each epoch; a thin line a seed, a thick one their mean`,
    ),
  };
}

function those(settings: SettingSummary[]): string {
  return settings.length > maxDrawn ? `the ${maxDrawn} best settings` : "each setting";
}
