import { count } from "../../base/format.ts";
import type { SubsetSummary } from "../../contract/generated/types.ts";
import type { ChartSpec } from "./chart-spec.ts";
import { lineHeight, wrapLabel } from "./labels.ts";
import { colors } from "./theme.ts";

/** A subset with the horizontal position of its cells, in pixels. */
export interface Column extends SubsetSummary {
  from: number;
  to: number;
}

export function spanOf({ from, to }: Column): { from: number; middle: number; to: number } {
  return { from, middle: (from + to) / 2, to };
}

/** The subsets grouped by their kind. */
export function placeColumns(subsets: readonly SubsetSummary[]): Column[] {
  let at = 0;
  return kinds.flatMap(({ by }) => {
    const group = subsets.filter((subset) => subset.by === by);
    if (group.length > 0 && at > 0) at += groupGap;
    return group.map((subset) => {
      const from = at;
      at += columnWidth;
      return { ...subset, from, to: from + columnWidth - columnGap };
    });
  });
}

const [columnWidth, columnGap, groupGap] = [60, 3, 14];

// The set's own terciles are left out: RefCOCOg's are the same in every split.
const kinds: { by: SubsetSummary["by"]; title: string }[] = [
  { by: "stratum", title: "subset" },
  { by: "area_tercile_refcocog", title: "object area (% of the image)" },
  { by: "sentence_length", title: "words" },
  { by: "num_same_category", title: "objects of the category" },
];

/** Names of the columns with their number of expressions, and above them the names of the groups. */
export function headings(columns: readonly Column[], x: (field: string) => ChartSpec): ChartSpec[] {
  const names = columns.map((column) => ({
    middle: spanOf(column).middle,
    text: wrapLabel(
      column.group.replaceAll("_", " ").replaceAll(" %", "%").replace(": ", ":, "),
      9,
    ).replaceAll(":,", ":"),
    number: count(column.num_sentences),
  }));
  const mostLines = names.reduce((most, { text }) => Math.max(most, text.split("\n").length), 1);
  const groups = kinds.flatMap(({ by, title }) => {
    const first = columns.find((column) => column.by === by);
    return first === undefined ? [] : [{ from: first.from, title }];
  });
  const text = (values: object[], at: string, field: string, y: number, mark: ChartSpec): ChartSpec => ({
    data: { values },
    mark: { type: "text", baseline: "bottom", fontSize: 11, lineBreak: "\n", lineHeight: 13, ...mark },
    encoding: { x: x(at), y: { value: y }, text: { field } },
  });
  const dy = { expr: `(1 - length(split(datum.text, '\\n'))) * 13` };
  return [
    text(names, "middle", "number", -4, { color: colors.muted }),
    text(names, "middle", "text", -4 - lineHeight, { dy }),
    text(groups, "from", "title", -12 - lineHeight - mostLines * 13, {
      align: "left",
      color: colors.muted,
      fontStyle: "italic",
    }),
  ];
}
