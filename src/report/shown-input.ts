import { oneLine, visibleText } from "../base/plain-text.ts";
import type { ReportInput } from "./report-input.ts";

/**
 * The input with texts that cannot break a page, an image or a table: labels, expressions and notes come from files of others.
 * `report.json` has the texts themselves.
 */
export function shownInput(input: ReportInput): ReportInput {
  return withShownTexts(input, "");
}

/** A block of code, which may have several lines. */
const commandKey = "command";
/** A path must stay the name of its file. */
const pathKey = "image_file";

function withShownTexts<T>(value: T, key: string): T;
function withShownTexts(value: unknown, key: string): unknown {
  if (typeof value === "string" && key === commandKey) return visibleText(value);
  if (typeof value === "string") return key === pathKey ? value : oneLine(value);
  if (Array.isArray(value)) return value.map((item) => withShownTexts(item, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withShownTexts(item, name)]));
}
