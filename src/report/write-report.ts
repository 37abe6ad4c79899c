import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RootContent } from "mdast";
import { replaceFile, reportStaging } from "../base/replace-file.ts";
import type { Split, Summary } from "../contract/generated/types.ts";
import { type Charts, drawCharts } from "./charts/draw-charts.ts";
import { htmlReport } from "./html/html-report.ts";
import { takeExplorer } from "./html/read-explorer.ts";
import { drawErrorExamples } from "./images/draw-errors.ts";
import { drawGallery } from "./images/draw-gallery.ts";
import { heading, images, paragraph, render, strong } from "./markdown.ts";
import { jsonName, type ReportImage, type ReportInput } from "./report-input.ts";
import { readOtherReports, reportJson } from "./report-json.ts";
import { allMetrics, publishedResults } from "./sections/all-metrics.ts";
import { baselineErrors } from "./sections/baseline-errors.ts";
import { describeBasis, limitations } from "./sections/basis.ts";
import { otherBreakdowns, subsets } from "./sections/breakdowns.ts";
import { calibration } from "./sections/calibration.ts";
import { comparisons } from "./sections/comparisons.ts";
import { cost, failures } from "./sections/cost.ts";
import { definitions } from "./sections/definitions.ts";
import { type ErrorExamples, errors } from "./sections/errors.ts";
import { listFiles } from "./sections/files.ts";
import { type Gallery, gallery } from "./sections/gallery.ts";
import { leaderboard } from "./sections/leaderboard.ts";
import { losses } from "./sections/losses.ts";
import { reproduce } from "./sections/reproduce.ts";
import { verdict } from "./sections/verdict.ts";
import { otherRemarks } from "./sections/verdict-remarks.ts";
import { whatDiffers } from "./sections/what-differs.ts";
import { shownInput } from "./shown-input.ts";
import { writeTables } from "./tables/write-tables.ts";

/** A folder in which a report is built: an error leaves the earlier report as it was. */
export interface Staging {
  folder: string;
  /** Where the files beside the report go, relative to the folder: `report/val`. */
  place: string;
}

/**
 * Calls a function with an empty folder to build a report in, which is removed afterwards.
 *
 * @param folder the sweep's folder.
 */
export async function withStaging<T>(
  folder: string,
  split: Split,
  build: (staging: Staging) => Promise<T>,
): Promise<T> {
  await removeLeftovers(folder);
  const staging = { folder: await mkdtemp(join(folder, reportStaging)), place: `report/${split}` };
  try {
    await mkdir(join(staging.folder, staging.place), { recursive: true });
    return await build(staging);
  } finally {
    await rm(staging.folder, { recursive: true, force: true });
  }
}

/**
 * Writes `REPORT.md`, `REPORT.html`, `report.json` and the files in `report/val/` (on val; other splits have their own names).
 *
 * @param staging may contain files for `report/val/`.
 * @param folder the sweep's folder.
 * @returns the path of the report.
 */
export async function writeReport(input: ReportInput, staging: Staging, folder: string): Promise<string> {
  const { split } = input.summary;
  const { place } = staging;
  const json = `${JSON.stringify(reportJson(input), null, 2)}\n`;
  const shown = shownInput(input);
  const charts = await drawCharts(shown, staging.folder, place);
  const drawn = await drawGallery(shown.summary, staging.folder, place);
  const errorExamples = await drawErrorExamples(shown.summary, staging.folder, place);
  const explorer = takeExplorer(join(staging.folder, place));
  writeTables(reportJson(shown), readOtherReports(folder, split), join(staging.folder, place));
  const names = await readdir(join(staging.folder, place));
  const main = mainBlocks(shown, charts, drawn, errorExamples);
  const details = detailBlocks(shown, charts);
  const isDemo = input.trials.some(({ spec }) => spec.dataset.name === "demo");
  const page = await htmlReport({ title: shown.question, main, details, explorer, isDemo }, staging.folder);
  await mkdir(join(folder, place), { recursive: true });
  // New files come before the text and earlier ones go after it: a kill leaves no text without its images.
  for (const name of names) await rename(join(staging.folder, place, name), join(folder, place, name));
  replaceFile(join(folder, jsonName(split)), json);
  const path = join(folder, split === "val" ? "REPORT.md" : `REPORT-${split}.md`);
  replaceFile(path.replace(/md$/, "html"), page);
  replaceFile(path, render([...main, ...details, ...listFiles(split, place, names)]));
  const earlier = (await readdir(join(folder, place))).filter((name) => !names.includes(name));
  for (const name of earlier) await rm(join(folder, place, name), { recursive: true });
  await rm(join(folder, `summary-${split}.json`), { force: true }); // Of an earlier version.
  return path;
}

/** The report from top to bottom: the result first, then what it is based on. */
export function reportBlocks(
  input: ReportInput,
  charts: Charts,
  drawn: Gallery,
  errorExamples: ErrorExamples,
): RootContent[] {
  return [...mainBlocks(input, charts, drawn, errorExamples), ...detailBlocks(input, charts)];
}

/** The report up to its examples. */
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
    ...leaderboard(summary, charts.leaderboard),
    ...losses(summary),
    ...whatDiffers(input),
    ...withChart(comparisons(summary), charts.differences),
    ...baselineErrors(input, charts.boxes),
    ...subsets(summary, charts.subsets),
    ...errors(summary, charts.errorClasses, errorExamples),
    ...gallery(summary, drawn),
  ];
}

/** Tables and definitions. */
function detailBlocks(input: ReportInput, charts: Charts): RootContent[] {
  const { summary } = input;
  return [
    ...withChart(allMetrics(summary), charts.accuracyAtIou),
    ...withChart(otherBreakdowns(summary), hasStrata(summary) ? undefined : charts.subsets),
    ...calibration(summary, charts.reliability, charts.riskCoverage),
    ...(charts.curves === undefined ? [] : [heading(2, "Learning curves"), images([charts.curves])]),
    ...publishedResults(summary, input.published),
    ...withChart(cost(input), charts.time),
    ...failures(input),
    ...reproduce(input),
    ...definitions(summary),
  ];
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

/** Removes what a killed process left. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(reportStaging));
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
