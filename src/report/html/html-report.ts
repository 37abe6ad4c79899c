import type { RootContent } from "mdast";
import type { Explorer } from "../../contract/generated/types.ts";
import type { RowNoun } from "../wording.ts";
import { blocksToHtml } from "./blocks-to-html.ts";
import { embedImages } from "./embed-images.ts";
import { explorerPart } from "./explorer-section.ts";
import { renderPage } from "./page.ts";
import { ids } from "./page-data.ts";

/** What the page is made from. */
export interface HtmlReport {
  /** The question. */
  title: string;
  /** The report up to its examples, and the tables and definitions that follow. */
  main: RootContent[];
  details: RootContent[];
  /** Undefined if there is nothing to show one by one. */
  explorer: Explorer | undefined;
  isDemo: boolean;
  /** What a row is called. */
  noun: RowNoun;
}

const maxPageBytes = 20e6;

/**
 * The report as one HTML file: the blocks of REPORT.md with sortable tables, and the expressions one by one.
 *
 * @param folder with the charts and images of the report.
 * @param maxBytes of the whole page, unless the report's tables and charts alone take more.
 */
export async function htmlReport(
  { title, main, details, explorer, isDemo, noun }: HtmlReport,
  folder: string,
  maxBytes: number = maxPageBytes,
): Promise<string> {
  const embedded = await embedImages([...main, ...details], folder);
  const before = blocksToHtml(main, "main", embedded);
  const after = blocksToHtml(details, "details", embedded);
  const report = renderPage(title, [...before, ...after], undefined);
  if (explorer === undefined || explorer.settings.length === 0) return report;
  const left = Math.max(0, maxBytes - Buffer.byteLength(report) - reserve);
  const part = await explorerPart(explorer, left, isDemo, noun);
  return renderPage(title, [...before, ...part.content, ...after], { id: ids.data, json: part.json });
}

/** For the notes of the section. */
const reserve = 20_000;
