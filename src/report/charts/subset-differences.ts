import { wrapText } from "../../base/format.ts";
import type { SettingSummary, SubsetComparison, Summary } from "../../contract/generated/types.ts";
import { alphaOf, groupName, isSignificant, referenceOf, settingOf, subsetKey } from "../figures.ts";
import { negated, points, signedPoints } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { drawnLabels, settingRows, shortLabel } from "./labels.ts";
import { maxRows, noteHidden, selectShown } from "./shown-settings.ts";
import { type Column, headings, placeColumns, spanOf } from "./subset-columns.ts";
import { colors, divergingColors } from "./theme.ts";

/** Acc@0.5 of each configuration minus that of the reference, a column per subset; its first rows are the reference and chance. */
export function subsetDifferencesChart(summary: Summary): Chart | undefined {
  const reference = referenceOf(summary);
  const all = summary.subset_comparisons
    .filter(({ label }) => label === reference)
    .map((each) => ({ ...each, label: each.against, difference: negated(each.difference) }));
  const compared = new Set(all.map(subsetKey));
  const columns = placeColumns(summary.subsets.filter((subset) => compared.has(subsetKey(subset))));
  const last = columns.at(-1);
  if (last === undefined) return undefined;
  const everyone = [...new Set(all.map(({ label }) => label))].map((label) => ({ label }));
  const shown = selectShown(everyone, summary.baseline, maxRows).map(({ label }) => label);
  const names = drawnLabels([`${reference}: Acc@0.5 in %`, chanceTitle, ...shown]);
  const [referenceRow = "", chanceRow = ""] = names.values();
  const columnOf = new Map(columns.map((column) => [subsetKey(column), column]));
  const isShown = new Set(shown);
  const drawn = all.filter((each) => isShown.has(each.label) && columnOf.has(subsetKey(each)));
  const largest = drawn.reduce((most, { difference }) => Math.max(most, Math.abs(difference.mean)), 0.05);
  const cells = drawn.flatMap((each): Cell[] => {
    const { label, difference } = each;
    const column = columnOf.get(subsetKey(each));
    if (column === undefined) return [];
    const isBold = isSignificant(each, summary);
    const number = `${signedPoints(difference.mean)}${isBold ? "*" : ""}`;
    const { fill, text } = divergingColors(difference.mean / largest);
    return [{ label: names.get(label) ?? "", ...spanOf(column), number, fill, text, isBold }];
  });
  const setting = settingOf(summary, reference);
  const context = columns.flatMap((column): Cell[] => [
    ...plainCell(referenceRow, column, setting === undefined ? undefined : accuracyOn(column, setting)),
    ...plainCell(chanceRow, column, column.chance ?? undefined),
  ]);
  const hasChance = context.some(({ label }) => label === chanceRow);
  const rows = [
    referenceRow,
    ...(hasChance ? [chanceRow] : []),
    ...shown.map((label) => names.get(label) ?? ""),
  ];
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, last.to], nice: false, zero: false },
    axis: null,
  });
  const { y, height } = settingRows(rows, 27, { domain: false, ticks: false });
  const numbers = (values: Cell[], fontWeight: string): ChartSpec => ({
    data: { values },
    mark: { type: "text", fontWeight },
    encoding: {
      y,
      x: x("middle"),
      text: { field: "number" },
      color: { field: "text", type: "nominal", scale: null },
    },
  });
  const notes = [
    `rows below the first${hasChance ? " two" : ""}: Acc@0.5 on ${summary.split} minus that of the first row, in percentage points`,
    `blue: better; orange: worse; strongest at ${points(largest)} points`,
    `*: p < ${alphaOf(summary)} (Holm over subsets and rows)`,
    ...noteHidden(shown, everyone, summary),
  ];
  const spec = {
    width: last.to,
    height,
    title: {
      text: notes.flatMap((note) => wrapText(note, Math.max(60, Math.floor(last.to / 7)))),
      orient: "bottom",
      anchor: "start",
      frame: "group",
      fontSize: 12,
      fontWeight: "normal",
      lineHeight: 16,
      offset: 10,
      color: colors.text,
    },
    layer: [
      {
        data: { values: [...context, ...cells] },
        mark: { type: "rect" },
        encoding: {
          y,
          x: x("from"),
          x2: { field: "to" },
          fill: { field: "fill", type: "nominal", scale: null },
        },
      },
      numbers([...context, ...cells.filter(({ isBold }) => !isBold)], "normal"),
      numbers(
        cells.filter(({ isBold }) => isBold),
        "bold",
      ),
      ...headings(columns, x),
    ],
  };
  return { spec, alt: describe(drawn, summary, reference) };
}

interface Cell {
  label: string;
  from: number;
  middle: number;
  to: number;
  number: string;
  fill: string;
  text: string;
  isBold: boolean;
}

const chanceTitle = "same-category chance in %";

function plainCell(label: string, column: Column, value: number | undefined): Cell[] {
  if (value === undefined) return [];
  const { fill, text } = { fill: colors.background, text: colors.text };
  return [{ label, ...spanOf(column), number: points(value), fill, text, isBold: false }];
}

function accuracyOn({ by, group }: Column, setting: SettingSummary): number | undefined {
  return setting.breakdowns.find((row) => row.by === by && row.group === group)?.interval.mean;
}

function describe(differences: readonly SubsetComparison[], summary: Summary, reference: string): string {
  const significant = differences
    .filter((each) => isSignificant(each, summary))
    .toSorted((a, b) => Math.abs(b.difference.mean) - Math.abs(a.difference.mean));
  const list = (chosen: SubsetComparison[]): string =>
    chosen.length === 0
      ? "none"
      : listed(
          chosen.map(
            (each) => `${shortLabel(each.label)} in ${groupName(each)} ${signedPoints(each.difference.mean)}`,
          ),
        );
  const better = list(significant.filter(({ difference }) => difference.mean > 0));
  const worse = list(significant.filter(({ difference }) => difference.mean < 0));
  return `Acc@0.5 on ${summary.split} by subset minus that of ${shortLabel(reference)}, in percentage points. Significantly better: ${better}. Significantly worse: ${worse}.`;
}
