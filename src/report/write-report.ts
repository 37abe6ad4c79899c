import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../base/replace-file.ts";
import { drawCharts } from "./charts/draw-charts.ts";
import { htmlReport } from "./html/html-report.ts";
import { takeExplorer } from "./html/read-explorer.ts";
import { drawErrorExamples } from "./images/draw-errors.ts";
import { drawGallery } from "./images/draw-gallery.ts";
import { render } from "./markdown.ts";
import { reportBlocks } from "./report-blocks.ts";
import type { ReportInput } from "./report-input.ts";
import { readOtherReports, reportJson } from "./report-json.ts";
import { listFiles } from "./sections/files.ts";
import { shownInput } from "./shown-input.ts";
import type { Staging } from "./staging.ts";
import { latexSplits } from "./tables/latex-splits.ts";
import { writeTables } from "./tables/write-tables.ts";
import { rowNoun } from "./wording.ts";

/**
 * Writes the report as `REPORT.md`, `REPORT.html` and `report.json`, and the files in `report/val/`, by the names in `input.files`.
 *
 * @param staging may contain files for `report/val/`.
 * @param folder of the sweep or comparison.
 * @returns the path of the report.
 */
export async function writeReport(input: ReportInput, staging: Staging, folder: string): Promise<string> {
  const { split } = input.summary;
  const { files } = input;
  const { place } = staging;
  const json = `${JSON.stringify(reportJson(input), null, 2)}\n`;
  const shown = shownInput(input);
  const charts = await drawCharts(shown, staging.folder, place);
  const drawn = await drawGallery(shown.summary, staging.folder, place);
  const errorExamples = await drawErrorExamples(shown.summary, staging.folder, place);
  const explorer = takeExplorer(join(staging.folder, place));
  writeTables(
    reportJson(shown),
    input.comparison === undefined ? readOtherReports(folder, split) : [],
    join(staging.folder, place),
  );
  if (shown.combined !== undefined)
    replaceFile(
      join(staging.folder, place, "splits.tex"),
      latexSplits(shown.name, shown.combined, shown.comparison, shown.training_set),
    );
  const names = await readdir(join(staging.folder, place));
  const { main, details } = reportBlocks(shown, charts, drawn, errorExamples);
  const isDemo = input.dataset.name === "demo";
  const page = await htmlReport(
    { title: shown.question, main, details, explorer, isDemo, noun: rowNoun(input.summary.settings) },
    staging.folder,
  );
  await mkdir(join(folder, place), { recursive: true });
  // New files come before the text and earlier ones go after it: a kill leaves no text without its images.
  for (const name of names) await rename(join(staging.folder, place, name), join(folder, place, name));
  replaceFile(join(folder, files.json), json);
  const path = join(folder, files.text);
  replaceFile(path.replace(/md$/, "html"), page);
  replaceFile(path, render([...main, ...details, ...listFiles(files, names)]));
  const earlier = (await readdir(join(folder, place))).filter((name) => !names.includes(name));
  for (const name of earlier) await rm(join(folder, place, name), { recursive: true });
  await rm(join(folder, `summary-${split}.json`), { force: true }); // Of an earlier version.
  return path;
}
