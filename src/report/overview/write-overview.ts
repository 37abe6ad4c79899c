import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../base/replace-file.ts";
import { renderSvg } from "../charts/render-svg.ts";
import { splitsChart } from "../charts/splits.ts";
import { htmlReport } from "../html/html-report.ts";
import { render } from "../markdown.ts";
import type { ReportImage } from "../report-input.ts";
import { listFiles } from "../sections/files.ts";
import { shownOverview } from "../shown-input.ts";
import type { Staging } from "../staging.ts";
import { latexSplits } from "../tables/latex-splits.ts";
import { overviewBlocks } from "./overview-blocks.ts";
import type { OverviewInput } from "./overview-input.ts";
import { overviewJson } from "./overview-json.ts";

/**
 * Writes the overview of a comparison on several splits as `REPORT.md`, `REPORT.html` and `report.json`, with its chart and its
 * LaTeX table in a folder beside it, by the names in `input.files`.
 *
 * @param folder of the comparison, in which each split has its own report.
 * @returns the path of the overview.
 */
export async function writeOverview(
  input: OverviewInput,
  { folder: staged, place }: Staging,
  folder: string,
): Promise<string> {
  const { files } = input;
  const json = `${JSON.stringify(overviewJson(input), null, 2)}\n`;
  const shown = shownOverview(input);
  const chart = await drawSplits(shown, staged, place);
  replaceFile(join(staged, place, "splits.tex"), latexSplits(shown.name, shown.combined, shown.comparison));
  const names = await readdir(join(staged, place));
  const { main, details } = overviewBlocks(shown, chart);
  const isDemo = input.combined.endpoints.some(({ dataset_name }) => dataset_name === "demo");
  const page = await htmlReport(
    { title: shown.question, main, details, explorer: undefined, isDemo, noun: "model" },
    staged,
  );
  await mkdir(join(folder, place), { recursive: true });
  // New files come before the text and earlier ones go after it: a kill leaves no text without its images.
  for (const name of names) await rename(join(staged, place, name), join(folder, place, name));
  replaceFile(join(folder, files.json), json);
  const path = join(folder, files.text);
  replaceFile(path.replace(/md$/, "html"), page);
  replaceFile(path, render([...main, ...details, ...listFiles(files, names)]));
  const earlier = (await readdir(join(folder, place))).filter((name) => !names.includes(name));
  for (const name of earlier) await rm(join(folder, place, name), { recursive: true });
  return path;
}

/** Undefined without any figure. */
async function drawSplits(
  { combined }: OverviewInput,
  folder: string,
  place: string,
): Promise<ReportImage | undefined> {
  const chart = splitsChart(combined);
  if (chart === undefined) return undefined;
  const file = `${place}/splits.svg`;
  replaceFile(join(folder, file), await renderSvg(chart, "splits"));
  return { file, alt: chart.alt };
}
