import type { Interval, Population, Summary } from "../../contract/generated/types.ts";
import { confidenceOf } from "../figures.ts";
import { latexText } from "./latex-text.ts";

/** A table in LaTeX; all its parts are LaTeX already. */
export interface LatexTable {
  caption: string;
  /** For \ref, without its "tab:". */
  label: string;
  /** A letter per column. */
  align: string;
  /** Titles above several columns, counted from 1; absent: none. */
  spans?: { title: string; first: number; last: number }[];
  head: string[];
  /** Rows, with a rule between the groups. */
  groups: string[][][];
  /** Lines that only a reader of the source sees. */
  comments: string[];
}

/** A floating table with the rules of booktabs, to be read with \input. */
export function tableOf({ caption, label, align, spans = [], head, groups, comments }: LatexTable): string {
  const lines = (rows: string[][]): string[] => rows.map((row) => `    ${row.join(" & ")} \\\\`);
  const bodies = groups.filter((rows) => rows.length > 0).map(lines);
  return [
    "% Needs \\usepackage{booktabs,amssymb}. Characters that pdfLaTeX cannot print are written as [U+...].",
    ...comments.map((comment) => `% ${comment}`),
    "\\begin{table}",
    "  \\centering",
    "  \\setlength{\\belowcaptionskip}{6pt}",
    `  \\caption{${caption}}`,
    `  \\label{tab:${label.replace(/[^A-Za-z0-9-]/g, "-")}}`,
    `  \\begin{tabular}{${align}}`,
    "    \\toprule",
    ...spanRows(spans, head.length),
    ...lines([head]),
    ...bodies.flatMap((body) => ["    \\midrule", ...body]),
    "    \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}

/** A row of titles above the head, each with a rule below it. */
function spanRows(spans: NonNullable<LatexTable["spans"]>, num_columns: number): string[] {
  if (spans.length === 0) return [];
  const starts = new Map(spans.map((span) => [span.first, span]));
  const cells: string[] = [];
  for (let column = 1; column <= num_columns; column += 1) {
    const span = starts.get(column);
    cells.push(span === undefined ? "" : `\\multicolumn{${span.last - span.first + 1}}{c}{${span.title}}`);
    if (span !== undefined) column = span.last;
  }
  const rules = spans.map(({ first, last }) => `\\cmidrule(lr){${first}-${last}}`);
  return [`    ${cells.join(" & ")} \\\\`, `    ${rules.join(" ")}`];
}

/**
 * A fraction in %, with the distances to the ends of its interval if it has one: "$53.1 \pm 2.9$"; "$0.0^{+4.2}_{-0.0}$",
 * as intervals end at what is possible.
 */
export function plusMinus(interval: Interval | undefined): string {
  if (interval === undefined) return noLatexValue;
  const { mean, low, high } = interval;
  const value = (mean * 100).toFixed(1).replace(/^-(0\.0)$/, "$1");
  if (low === null || high === null) return `$${value}$`;
  const [above, below] = [(high - mean) * 100, (mean - low) * 100];
  if (Math.abs(above - below) < 0.1) return `$${value} \\pm ${((above + below) / 2).toFixed(1)}$`;
  return `$${value}^{+${above.toFixed(1)}}_{-${below.toFixed(1)}}$`;
}

/**
 * What stands after ± in a table, and the mark of the rows that it says less about.
 *
 * @param steps that an interval of the procedure holds for.
 */
export function meaningOf(
  summary: Pick<Summary, "confidence">,
  rows: Population[],
  steps = "training again with other seeds",
): string {
  const interval = `$\\pm$ has the distances to the ends of the ${latexText(confidenceOf(summary))} confidence interval`;
  const populations = new Set(rows);
  if (!populations.has("procedure")) return `${interval} for these models on new images.`;
  const procedure = `${interval} for ${steps}, on new images`;
  return populations.has("checkpoints")
    ? `${procedure}; rows with ${checkpointsMark}: for these models on new images.`
    : `${procedure}.`;
}

/** The end of a caption: what several datasets were trained on together, and what was left out. */
export function trainingOf(trainingSet: string | null | undefined): string {
  return trainingSet == null ? "" : ` ${latexText(trainingSet)}`;
}

/** The mark of a row whose interval is one of checkpoints, in a table that also has intervals of the procedure. */
export function markOf(population: Population | undefined, rows: Population[]): string {
  return population === "checkpoints" && rows.includes("procedure") ? checkpointsMark : "";
}

export const noLatexValue = "--";
const checkpointsMark = "$^\\dagger$";
