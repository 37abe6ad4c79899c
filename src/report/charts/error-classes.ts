import { percent } from "../../base/format.ts";
import type { ErrorClassName, Summary } from "../../contract/generated/types.ts";
import { points } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { drawnLabels, settingRows, shortLabel } from "./labels.ts";
import { maxRows, noteHidden, selectShown } from "./shown-settings.ts";
import { classColors, colors } from "./theme.ts";

/** A stacked bar per configuration: its hits, then each class of error. */
export function errorClassesChart(summary: Summary): Chart {
  const { settings, split, baseline } = summary;
  const shown = selectShown(settings, baseline, maxRows);
  const names = drawnLabels(shown.map(({ label }) => label));
  const values = shown.flatMap(({ label, error_classes }) => {
    let from = 0;
    return errorParts.flatMap(({ key, title, letter, text }) => {
      const fraction = error_classes.find(({ error_class }) => error_class === key)?.fraction.mean ?? 0;
      if (fraction === 0) return [];
      const start = from;
      from += fraction * 100;
      const number = fraction < minNumbered ? "" : ` ${points(fraction)}`;
      return [
        {
          label: names.get(label) ?? "",
          part: title,
          from: start,
          to: from,
          middle: (start + from) / 2,
          mark: fraction < minLettered ? "" : `${letter}${number}`,
          text,
        },
      ];
    });
  });
  const parts = errorParts.filter(({ title }) => values.some(({ part }) => part === title));
  const { y, height } = settingRows([...names.values()]);
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: { title: [`referring expressions of ${split} (%)`, ...noteHidden(shown, settings)] },
  });
  const titles = Object.fromEntries(parts.map(({ title, letter }) => [title, `${letter}: ${title}`]));
  const spec = {
    width: 560,
    height,
    data: { values },
    layer: [
      {
        mark: { type: "bar", stroke: colors.text, strokeWidth: 0.8, height: 24 },
        encoding: {
          y,
          x: x("from"),
          x2: { field: "to" },
          // A letter in each part, its order and its lightness tell the classes apart without colors.
          color: {
            field: "part",
            type: "nominal",
            scale: { domain: parts.map(({ title }) => title), range: parts.map(({ fill }) => fill) },
            legend: {
              title: null,
              orient: "top",
              columns: 4,
              labelLimit: 300,
              labelExpr: `${JSON.stringify(titles)}[datum.label]`,
              symbolType: "square",
              symbolStrokeColor: colors.text,
              symbolStrokeWidth: 0.8,
              symbolSize: 160,
            },
          },
        },
      },
      {
        mark: { type: "text", fontSize: 11 },
        encoding: {
          y,
          x: x("middle"),
          text: { field: "mark" },
          color: { field: "text", type: "nominal", scale: null },
        },
      },
    ],
  };
  const figures = settings.map(({ label, error_classes }) => {
    const numbers = parts.map(({ key, title }) => {
      const found = error_classes.find(({ error_class }) => error_class === key);
      return `${title} ${percent(found?.fraction.mean ?? 0)}`;
    });
    return `${shortLabel(label)}: ${numbers.join(", ")}`;
  });
  return { spec, alt: `Classes of the answers on ${split}: ${listed(figures)}.` };
}

/** Smaller fractions have no space for their number, or for their letter. */
const minNumbered = 0.09;
const minLettered = 0.025;

const names: { key: ErrorClassName; title: string; letter: string }[] = [
  { key: "hit", title: "hit", letter: "H" },
  { key: "loose_box", title: "loose box", letter: "L" },
  { key: "wrong_instance", title: "wrong instance", letter: "I" },
  { key: "wrong_category", title: "wrong category", letter: "C" },
  { key: "background", title: "background", letter: "B" },
  { key: "no_answer", title: "no answer", letter: "N" },
  { key: "unknown", title: "unknown", letter: "U" },
];

/** The classes in the order of the bars. */
export const errorParts = names.map((part, index) => ({
  ...part,
  ...(classColors[index] ?? { fill: "", text: "" }),
}));
