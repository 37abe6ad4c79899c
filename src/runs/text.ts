import { wrapWords } from "../base/format.ts";

/**
 * Lines of a text for a terminal of 80 columns. Words stay whole, so that a path can be copied; no line breaks at a non-breaking
 * space, or between a number and its unit.
 */
export function filled(text: string, columns = 80): string[] {
  const words = text.replace(/(\d) (?=(?:KB|MB|GB|%|h|min|s)\b)/g, "$1\u00a0").split(/[ \n]+/);
  return wrapWords(words, columns).map((line) => line.replaceAll("\u00a0", " "));
}

/** Lines below a title; what does not fit on the first continues further right. */
export function indented(text: string, indent = "  "): string[] {
  return filled(text, 80 - indent.length - 2).map((line, index) =>
    index === 0 ? indent + line : `${indent}  ${line}`,
  );
}

/** Rows in columns that are as wide as needed; those after the first `textColumns` are aligned right. */
export function textTable(rows: readonly string[][], textColumns: number, indent = "  "): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column < textColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}

/** "2026-11-29 18:52 UTC". */
export function utcTime(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

/** A setting's value on one line. */
export function valueText(value: unknown): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
