import type { RootContent } from "mdast";
import type { PublishedResult, Summary } from "../contract/generated/types.ts";
import type { Charts } from "./charts/draw-charts.ts";
import { heading, images, paragraph, strong } from "./markdown.ts";
import { combinedVerdict } from "./overview/combined-verdict.ts";
import { splitsSection } from "./overview/splits-section.ts";
import { dataNames, type ReportImage, type ReportInput } from "./report-input.ts";
import { allMetrics, publishedResults } from "./sections/all-metrics.ts";
import { answers } from "./sections/answers.ts";
import { baselineErrors } from "./sections/baseline-errors.ts";
import { describeBasis, limitations } from "./sections/basis.ts";
import { otherBreakdowns, subsets } from "./sections/breakdowns.ts";
import { calibration } from "./sections/calibration.ts";
import { comparisons } from "./sections/comparisons.ts";
import { conventions } from "./sections/conventions.ts";
import { cost, failures } from "./sections/cost.ts";
import { definitions } from "./sections/definitions.ts";
import { type ErrorExamples, errors } from "./sections/errors.ts";
import { type Gallery, gallery } from "./sections/gallery.ts";
import { leaderboard } from "./sections/leaderboard.ts";
import { losses } from "./sections/losses.ts";
import { protocol } from "./sections/protocol.ts";
import { reproduce } from "./sections/reproduce.ts";
import { reviewed } from "./sections/reviewed.ts";
import { starts } from "./sections/starts.ts";
import { trainingData } from "./sections/training-data.ts";
import { verdict } from "./sections/verdict.ts";
import { otherRemarks } from "./sections/verdict-remarks.ts";
import { whatDiffers } from "./sections/what-differs.ts";

/** A report: `main` has the result and the examples, `details` the tables and definitions. */
export interface ReportBlocks {
  main: RootContent[];
  details: RootContent[];
}

/** The report from top to bottom: the result first, then what it is based on. */
export function reportBlocks(
  input: ReportInput,
  charts: Charts,
  drawn: Gallery,
  errorExamples: ErrorExamples,
): ReportBlocks {
  return { main: mainBlocks(input, charts, drawn, errorExamples), details: detailBlocks(input, charts) };
}

function mainBlocks(
  input: ReportInput,
  charts: Charts,
  drawn: Gallery,
  errorExamples: ErrorExamples,
): RootContent[] {
  const { summary } = input;
  return [
    heading(1, input.question),
    paragraph([strong(verdict(input)), ...otherRemarks(input).map((remark) => ` ${remark}`)]),
    paragraph(describeBasis(input)),
    ...limitations(input),
    ...leaderboard(summary, charts.leaderboard, publishedOn(input)),
    ...trainingData(input),
    ...reviewed(summary),
    ...losses(summary),
    ...whatDiffers(input),
    ...protocol(input.comparison),
    ...withChart(comparisons(summary), charts.differences),
    ...baselineErrors(input, charts.boxes),
    ...subsets(summary, charts.subsets, input.files.json),
    ...errors(summary, charts.errorClasses, errorExamples, input.files.json),
    ...gallery(summary, drawn),
    ...otherSplits(input, charts.splits),
  ];
}

function detailBlocks(input: ReportInput, charts: Charts): RootContent[] {
  const { summary } = input;
  return [
    ...answers(input.comparison, dataNames(input)),
    ...withChart(allMetrics(summary, input.files.json), charts.accuracyAtIou),
    ...conventions(summary),
    ...withChart(otherBreakdowns(summary), hasStrata(summary) ? undefined : charts.subsets),
    ...calibration(summary, charts.reliability, charts.riskCoverage),
    ...(charts.curves === undefined ? [] : [heading(2, "Learning curves"), images([charts.curves])]),
    ...publishedResults(summary, input.published),
    ...withChart(cost(input), charts.time),
    ...starts(input),
    ...failures(input),
    ...reproduce(input),
    ...definitions(summary),
  ];
}

/** In a sweep; a comparison has an overview. */
function otherSplits({ combined }: ReportInput, chart: ReportImage | undefined): RootContent[] {
  if (combined === undefined) return [];
  const [title, ...content] = splitsSection("Other splits", combined, undefined, chart);
  return title === undefined
    ? []
    : [title, paragraph(strong(combinedVerdict(combined, undefined))), ...content];
}

/** Published Acc@0.5 on the split of a comparison. */
function publishedOn(input: ReportInput): PublishedResult[] {
  const names = dataNames(input);
  return (input.comparison?.published ?? []).filter(
    ({ data, metric }) => metric === "acc_at_50" && names.includes(data),
  );
}

/** A section with a chart below its heading. */
function withChart([title, ...content]: RootContent[], chart: ReportImage | undefined): RootContent[] {
  if (title === undefined) return [];
  return [title, ...(chart === undefined ? [] : [images([chart])]), ...content];
}

/** True if the dataset defines subsets, which have a section of their own. */
function hasStrata({ subsets }: Summary): boolean {
  return subsets.some(({ by }) => by === "stratum");
}
