import { wrapText, wrapWords } from "../../base/format.ts";
import { oneLine, shortLine } from "../../base/plain-text.ts";
import type { ChartSpec } from "./chart-spec.ts";

/** Columns of a label left of its row. */
const rowColumns = 42;

/** Each label as it is drawn, in lines; labels that differ stay different. */
export function drawnLabels(labels: readonly string[], columns = rowColumns): Map<string, string> {
  const drawn = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const label of labels) {
    const text = wrapLabel(label, columns);
    const count = (counts.get(text) ?? 0) + 1;
    counts.set(text, count);
    drawn.set(label, count === 1 ? text : `${text} (${count})`);
  }
  return drawn;
}

/** A label in lines, split at its commas if possible. Its end stays: labels of one sweep often start the same. */
export function wrapLabel(label: string, columns = 36): string {
  const parts = oneLine(label)
    .split(/(?<=,) /)
    .flatMap((part) => wrapText(part, columns));
  const lines = wrapWords(parts, columns);
  const shown = lines.length <= maxLines ? lines : [...lines.slice(0, maxLines - 3), "…", ...lines.slice(-2)];
  return shown.join("\n");
}

const maxLines = 5;

/** A label in one line, for an alt text; its end stays. */
export function shortLabel(label: string, most = 90): string {
  return shortLine(label, most);
}

/** Lines of an axis label or a legend's label. The label is data: it never becomes part of an expression. */
const multiline = { labelExpr: "split(datum.label, '\\n')", labelLimit: 600 };
export const lineHeight = 14;

/** One row per configuration, with its label vertically centered. */
export function settingRows(
  labels: string[],
  minStep = 34,
  axisChanges: ChartSpec = {},
): { y: ChartSpec; height: ChartSpec } {
  const mostLines = labels.reduce((most, label) => Math.max(most, label.split("\n").length), 0);
  const labelOffset = { expr: `(1 - length(split(datum.value, '\\n'))) * ${lineHeight / 2}` };
  const axis = { title: null, labelOffset, ...multiline, ...axisChanges };
  return {
    // Sorting by the list of labels would become one nested expression, too deep for several hundred of them.
    y: { field: "label", type: "nominal", sort: null, scale: { domain: labels }, axis },
    height: { step: Math.max(minStep, mostLines * lineHeight + 10) },
  };
}
