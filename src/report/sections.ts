import type { RootContent } from "mdast";
import type { Summary } from "../contract/generated/types.ts";
import { basis, notes } from "./basis.ts";
import { boxesAndRanking } from "./boxes.ts";
import { otherBreakdowns, strata } from "./breakdowns.ts";
import { cost, failures } from "./cost.ts";
import { definitions } from "./definitions.ts";
import type { Charts } from "./draw-charts.ts";
import { allFigures, comparisons, leaderboard } from "./leaderboard.ts";
import { bullets, heading, images, paragraph, strong } from "./markdown.ts";
import { quoted } from "./points.ts";
import { published } from "./published.ts";
import type { Picture, ReportInput } from "./report-input.ts";
import { reproduce } from "./reproduce.ts";
import { verdict } from "./verdict.ts";

/** Charts and drawn cases. */
export interface ReportImages extends Charts {
  cases: { title: string; pictures: Picture[] }[];
  /** What kept cases out of the gallery: images that cannot be read. */
  unreadable: string[];
}

/** The report's blocks, top to bottom: the answer first, what it rests on after it. */
export function reportBlocks(input: ReportInput, pictures: ReportImages): RootContent[] {
  const { summary } = input;
  return [
    heading(1, input.question),
    paragraph(strong(verdict(summary))),
    paragraph(basis(input)),
    ...notes(input),
    ...leaderboard(summary, pictures.leaderboard),
    ...comparisons(summary),
    ...boxesAndRanking(input, pictures.boxes),
    ...strata(summary, pictures.strata),
    ...gallery(summary, pictures),
    ...allFigures(summary),
    ...otherBreakdowns(summary),
    ...(pictures.curves === undefined ? [] : [heading(2, "Learning curves"), images([pictures.curves])]),
    ...published(input),
    ...cost(input),
    ...failures(input),
    ...reproduce(input),
    ...definitions(summary),
  ];
}

function gallery(summary: Summary, { cases, unreadable }: ReportImages): RootContent[] {
  const shown = cases.filter(({ pictures }) => pictures.length > 0);
  if (shown.length === 0 && unreadable.length === 0) return [];
  return [
    heading(2, "Gallery"),
    paragraph(`Answers of ${shownSettings(summary)}; the truth is dashed.`),
    ...shown.flatMap(({ title, pictures }) => [heading(3, title), images(pictures)]),
    ...(unreadable.length === 0
      ? []
      : [paragraph("Cases whose image cannot be read are left out:"), bullets(unreadable)]),
  ];
}

/** "film (its first seed) and of token". */
function shownSettings({ gallery: { best }, settings }: Summary): string {
  const several = new Set(settings.filter(({ trial_ids }) => trial_ids.length > 1).map(({ label }) => label));
  const labels = best[0]?.predictions.map(({ label }) => label) ?? [];
  return labels
    .map((label) => `${quoted(label)}${several.has(label) ? " (its first seed)" : ""}`)
    .join(" and of ");
}
