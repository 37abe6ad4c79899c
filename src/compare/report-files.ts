import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ReportFiles } from "../report/report-input.ts";

/** The files of the report on a split: with the plain names if there is only one. */
export function filesOfData(name: string, isOnly: boolean): ReportFiles {
  const slug = name.replaceAll(":", "-");
  const suffix = isOnly ? "" : `-${slug}`;
  return { text: `REPORT${suffix}.md`, json: `report${suffix}.json`, place: `report/${slug}` };
}

/** Those of the overview of several splits. */
export const overviewFiles: ReportFiles = {
  text: "REPORT.md",
  json: "report.json",
  place: "report/overview",
};

/** Removes reports on splits that are not compared any more. */
export function removeOtherReports(folder: string, written: readonly ReportFiles[]): void {
  const kept = new Set(written.flatMap(({ text, json }) => [text, text.replace(/md$/, "html"), json]));
  for (const name of readdirSync(folder))
    if (/^(REPORT(-.+)?\.(md|html)|report(-.+)?\.json)$/.test(name) && !kept.has(name))
      rmSync(join(folder, name), { force: true });
  const places = new Set(written.map(({ place }) => place.replace(/^report\//, "")));
  const reports = join(folder, "report");
  for (const name of existsSync(reports) ? readdirSync(reports) : [])
    if (!places.has(name)) rmSync(join(reports, name), { recursive: true, force: true });
}
