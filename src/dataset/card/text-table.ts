/** A line of words and numbers, or the title of those below it. */
export type TextRow = { title: string } | { cells: string[] };

/** Columns aligned for a terminal: the first to the left, the others to the right. */
export function textTable(head: string[], rows: TextRow[]): string[] {
  const lines = [head, ...rows.flatMap((row) => ("cells" in row ? [indented(row.cells)] : []))];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((cells) => (cells[column] ?? "").length), column === 0 ? 0 : minimum),
  );
  const line = (cells: string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join(gap)
      .trimEnd();
  return [line(head), ...rows.map((row) => ("cells" in row ? line(indented(row.cells)) : row.title))];
}

const gap = "  ";
const minimum = 8;

function indented([first = "", ...others]: string[]): string[] {
  return [`  ${first}`, ...others];
}
