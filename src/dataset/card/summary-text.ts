import { count, percent, wrapText } from "../../base/format.ts";
import type { DatasetStats, SplitStats } from "../../contract/generated/types.ts";
import { knownIssues, overlapLine } from "./known-issues.ts";
import type { Portrait } from "./portrait.ts";
import { figureSections, tercileNote } from "./split-figures.ts";
import { type TextRow, textTable } from "./text-table.ts";

/** Columns of a terminal. */
const width = 100;

/** What `dataset show` prints: no line is longer than 100 columns, but for paths. */
export function summaryText(portrait: Portrait): string {
  const { stats, folder, sizes } = portrait;
  const { facts } = stats;
  return [
    ...paragraph(`${facts.name}, split by ${facts.split_by} (${facts.split_rule}): ${totals(stats)}`),
    folder,
    ...paragraph(
      `prepared ${facts.prepared_at.slice(0, 10)} by cliprpn ${facts.cliprpn_version}, id ${facts.id}, ${
        sizes.length === 0 ? "without pictures" : sizes.join(", ")
      }`,
    ),
    "",
    ...figureTable(stats),
    ...indentedParagraph(tercileNote(stats)),
    "",
    ...categories(stats.splits),
    ...overlaps(stats),
    ...issues(knownIssues(portrait)),
  ]
    .join("\n")
    .trimEnd();
}

function totals({ splits, num_objects }: DatasetStats): string {
  const sum = (of: (split: SplitStats) => number): string =>
    count(splits.reduce((total, split) => total + of(split), 0));
  return `${sum((split) => split.num_refs)} refs, ${sum((split) => split.num_sentences)} sentences, ${count(num_objects)} objects`;
}

function figureTable(stats: DatasetStats): string[] {
  const sections = figureSections(stats);
  const rows: TextRow[] = sections.flatMap(({ title, rows: own }) => [
    { title },
    ...own.map(({ label, of }) => ({ cells: [label, ...stats.splits.map(of)] })),
    ...(title.startsWith("Words") ? [histogram(stats)] : []),
  ]);
  return textTable(["", ...stats.splits.map(({ split }) => split)], rows);
}

/** Bars of eighths, the fullest bin a whole one. */
function histogram({ word_bins, splits }: DatasetStats): TextRow {
  const bar = ({ word_histogram }: SplitStats): string => {
    const most = Math.max(...word_histogram, 1);
    return word_histogram.map((number) => bars[Math.ceil((number / most) * 8)] ?? " ").join("");
  };
  const ends = word_bins.map(({ max_words }) => max_words ?? "more");
  return { cells: [`up to ${ends.join(" ")}`, ...splits.map(bar)] };
}

const bars = ["·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

function categories(splits: SplitStats[]): string[] {
  const known = splits.filter(({ top_categories }) => top_categories.length > 0);
  if (known.length === 0) return [];
  return [
    "Most frequent categories, in % of the sentences",
    ...known.flatMap(({ split, top_categories, num_sentences }) => {
      const list = top_categories.map(
        ({ category, num_sentences: own }) =>
          `${category} ${percent(own / num_sentences, 0).replace(" %", "")}`,
      );
      const [first = "", ...others] = wrapText(list.join(", "), width - 9);
      return [`  ${split.padEnd(6)} ${first}`, ...others.map((line) => `         ${line}`)];
    }),
    "",
  ];
}

function overlaps({ overlaps: all }: DatasetStats): string[] {
  if (all.length === 0) return [];
  return [
    "Shared between splits (`dataset check` compares pixels too)",
    ...all.flatMap((overlap) => {
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
    "To know",
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
