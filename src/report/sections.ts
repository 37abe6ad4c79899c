import type { RootContent } from "mdast";
import { basis, notes } from "./basis.ts";
import { otherBreakdowns, strata } from "./breakdowns.ts";
import { cost, failures } from "./cost.ts";
import { allFigures, comparisons, leaderboard } from "./leaderboard.ts";
import { bullets, heading, images, paragraph, strong } from "./markdown.ts";
import { published } from "./published.ts";
import type { Picture, ReportInput } from "./report-input.ts";
import { definitions, reproduce } from "./reproduce.ts";
import { verdict } from "./verdict.ts";

/** Pictures of the report; absent ones are left out. */
export interface ReportPictures {
  leaderboard: Picture;
  strata?: Picture;
  curves: Picture;
  cases: { title: string; pictures: Picture[] }[];
  /** What kept cases out of the gallery: pictures that cannot be read. */
  unreadable: string[];
}

/** The report's blocks, top to bottom: the answer first, what it rests on after it. */
export function reportBlocks(input: ReportInput, pictures: ReportPictures): RootContent[] {
  const { summary } = input;
  return [
    heading(1, input.question),
    paragraph(strong(verdict(summary))),
    paragraph(basis(input)),
    ...notes(input),
    ...leaderboard(summary, pictures.leaderboard),
    ...comparisons(summary),
    ...strata(summary, pictures.strata),
    ...gallery(pictures),
    ...allFigures(summary),
    ...otherBreakdowns(summary),
    heading(2, "Learning curves"),
    images([pictures.curves]),
    ...published(input),
    ...cost(input),
    ...failures(input),
    ...reproduce(input),
    ...definitions(summary),
  ];
}

function gallery({ cases, unreadable }: ReportPictures): RootContent[] {
  const shown = cases.filter(({ pictures }) => pictures.length > 0);
  if (shown.length === 0 && unreadable.length === 0) return [];
  return [
    heading(2, "Gallery"),
    paragraph(
      "Answers of the best setting and of the last on the leaderboard, each with its first seed; the truth is dashed.",
    ),
    ...shown.flatMap(({ title, pictures }) => [heading(3, title), images(pictures)]),
    ...(unreadable.length === 0
      ? []
      : [paragraph("Cases whose picture cannot be read are left out:"), bullets(unreadable)]),
  ];
}
