import { count, percent, wrapText } from "../../base/format.ts";
import type { DatasetStats, SplitStats } from "../../contract/generated/types.ts";
import { describeJoint } from "../joint.ts";
import { matchedLine } from "../prepare/summary-lines.ts";
import { knownIssues, overlapLine } from "./known-issues.ts";
import type { DatasetProfile } from "./profile.ts";
import { figureSections, tercileNote } from "./split-figures.ts";

/** Terminal width in columns. */
const width = 100;

/** The output of `dataset show`: no line is longer than 100 columns, except paths. */
export function summaryText(profile: DatasetProfile): string {
  const { stats, folder, sizes } = profile;
  const { facts } = stats;
  return [
    ...paragraph(`${facts.name}, split by ${facts.split_by} (${facts.split_rule})`),
    ...(facts.joint == null ? [] : paragraph(describeJoint(facts.joint))),
    ...(facts.matched ?? []).map(matchedLine),
    totals(stats),
    folder,
    ...paragraph(
      `prepared ${facts.prepared_at.slice(0, 10)} by cliprpn ${facts.cliprpn_version}, id ${facts.id}, ${
        sizes.length === 0 ? "without images" : sizes.join(", ")
      }`,
    ),
    "",
    ...figureTable(stats),
    ...indentedParagraph(tercileNote(stats)),
    "",
    ...categories(stats.splits),
    ...overlaps(stats),
    ...issues(knownIssues(profile)),
  ]
    .join("\n")
    .trimEnd();
}

function totals({ splits, num_objects }: DatasetStats): string {
  const sum = (value: (split: SplitStats) => number): string =>
    count(splits.reduce((total, split) => total + value(split), 0));
  return `${sum((split) => split.num_refs)} referred objects, ${sum((split) => split.num_sentences)} expressions, ${count(num_objects)} annotated objects`;
}

/** A row of cells, or the title of the rows below it. */
type TextRow = { title: string } | { cells: string[] };

function figureTable(stats: DatasetStats): string[] {
  const rows: TextRow[] = figureSections(stats).flatMap((section) => [
    { title: section.title },
    ...section.rows.map(({ label, format }) => ({ cells: [label, ...stats.splits.map(format)] })),
    ...(section.title.startsWith("Words") ? [histogram(stats)] : []),
  ]);
  return textTable(["", ...stats.splits.map(({ split }) => split)], rows);
}

/** One bar per bin; the fullest bin gets a full block. */
function histogram({ word_bins, splits }: DatasetStats): TextRow {
  const bars = ({ word_histogram }: SplitStats): string => {
    const max = Math.max(...word_histogram, 1);
    return word_histogram.map((number) => blocks[Math.ceil((number / max) * 8)] ?? " ").join("");
  };
  const ends = word_bins.map(({ max_words }) => max_words ?? "more");
  return { cells: [`up to ${ends.join(" ")}`, ...splits.map(bars)] };
}

const blocks = ["·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** Aligned columns: the first to the left, the others to the right. */
function textTable(head: string[], rows: TextRow[]): string[] {
  const lines = [head, ...rows.flatMap((row) => ("cells" in row ? [indented(row.cells)] : []))];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((cells) => (cells[column] ?? "").length), column === 0 ? 0 : min_column_width),
  );
  const line = (cells: string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map((row) => ("cells" in row ? line(indented(row.cells)) : row.title))];
}

const min_column_width = 8;

function indented([first = "", ...others]: string[]): string[] {
  return [`  ${first}`, ...others];
}

function categories(splits: SplitStats[]): string[] {
  const known = splits.filter(({ top_categories }) => top_categories.length > 0);
  if (known.length === 0) return [];
  return [
    "Most frequent categories, in % of the expressions",
    ...known.flatMap(({ split, top_categories, num_sentences }) => {
      const list = top_categories.map(
        (top) => `${top.category} ${percent(top.num_sentences / num_sentences, 0).replace(" %", "")}`,
      );
      const [first = "", ...others] = wrapText(list.join(", "), width - 9);
      return [`  ${split.padEnd(6)} ${first}`, ...others.map((line) => `         ${line}`)];
    }),
    "",
  ];
}

function overlaps(stats: DatasetStats): string[] {
  if (stats.overlaps.length === 0) return [];
  return [
    "Shared between splits (`dataset check` also compares pixels)",
    ...stats.overlaps.flatMap((overlap) => {
      const [first = "", ...others] = wrapText(overlapLine(overlap), width - 19);
      return [
        `  ${`${overlap.first}, ${overlap.second}`.padEnd(15)} ${first}`,
        ...others.map((line) => " ".repeat(18) + line),
      ];
    }),
    "",
  ];
}

function issues(lines: string[]): string[] {
  if (lines.length === 0) return [];
  return [
    "Known issues",
    ...lines.flatMap((line) =>
      wrapText(line, width - 4).map((part, index) => `${index === 0 ? "  - " : "    "}${part}`),
    ),
  ];
}

function paragraph(text: string): string[] {
  return wrapText(text, width);
}

function indentedParagraph(text: string | undefined): string[] {
  return text === undefined ? [] : wrapText(text, width - 2).map((line) => `  ${line}`);
}
