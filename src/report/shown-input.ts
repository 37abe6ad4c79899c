import { oneLine, visibleText } from "../base/plain-text.ts";
import type { Explorer, StoredAudit } from "../contract/generated/types.ts";
import type { OverviewInput } from "./overview/overview-input.ts";
import type { ReportInput } from "./report-input.ts";

/**
 * The input with texts that cannot break a page, an image or a table: labels, expressions and notes come from files of others.
 * `report.json` has the texts themselves.
 */
export function shownInput(input: ReportInput): ReportInput {
  return withShownTexts(input, "", ["image_file"]);
}

/** An overview's texts, in the same way. */
export function shownOverview(input: OverviewInput): OverviewInput {
  return withShownTexts(input, "", []);
}

/** The expressions of the HTML page, in the same way. */
export function shownExplorer(explorer: Explorer): Explorer {
  return withShownTexts(explorer, "", ["images_dir", "file"]);
}

/** A block of code, which may have several lines. */
const commandKey = "command";

/** @param paths keys of paths, which must stay the names of their files. */
function withShownTexts<T>(value: T, key: string, paths: string[]): T;
function withShownTexts(value: unknown, key: string, paths: string[]): unknown {
  if (typeof value === "string" && key === commandKey) return visibleText(value);
  if (typeof value === "string") return paths.includes(key) ? value : oneLine(value);
  if (Array.isArray(value)) return value.map((item) => withShownTexts(item, key, paths));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withShownTexts(item, name, paths)]),
  );
}

/** An audit, in the same way. */
export function shownAudit(audit: StoredAudit): StoredAudit {
  return withShownTexts(audit, "", ["image_file"]);
}
