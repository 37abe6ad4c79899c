import { percent } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import { errorFractions } from "../figures.ts";
import { points } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { drawnLabels, settingRows, shortLabel } from "./labels.ts";
import { maxRows, noteHidden, selectShown } from "./shown-settings.ts";
import { colors, partColors } from "./theme.ts";

/** A stacked bar per baseline: correct predictions, ranking errors and detection errors. */
export function errorsChart(summary: Summary): Chart | undefined {
  const all = summary.settings.flatMap((setting) => {
    const fractions = errorFractions(setting);
    return fractions === undefined ? [] : [{ label: setting.label, fractions }];
  });
  if (all.length === 0) return undefined;
  const baselines = selectShown(all, summary.baseline, maxRows);
  const names = drawnLabels(baselines.map(({ label }) => label));
  const values = baselines.flatMap(({ label, fractions }) => {
    let start = 0;
    return parts.map(({ key, title, text }) => {
      const fraction = fractions[key].mean;
      const from = start * 100;
      start += fraction;
      const number = fraction < minNumbered ? "" : points(fraction);
      return {
        label: names.get(label) ?? "",
        part: title,
        from,
        to: start * 100,
        middle: from + fraction * 50,
        number,
        text,
      };
    });
  });
  const { y, height } = settingRows([...names.values()]);
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: { title: [`referring expressions of ${summary.split} (%)`, ...noteHidden(baselines, all)] },
  });
  const spec = {
    width: 520,
    height,
    data: { values },
    layer: [
      {
        mark: { type: "bar", stroke: colors.text, strokeWidth: 0.8, height: 24 },
        encoding: {
          y,
          x: x("from"),
          x2: { field: "to" },
          // Lightness and order distinguish the parts, so the chart is readable without colors.
          color: {
            field: "part",
            type: "nominal",
            scale: { domain: parts.map(({ title }) => title), range: parts.map(({ fill }) => fill) },
            legend: {
              title: null,
              orient: "top",
              labelLimit: 300,
              symbolType: "square",
              symbolStrokeColor: colors.text,
              symbolStrokeWidth: 0.8,
              symbolSize: 160,
            },
          },
        },
      },
      {
        mark: { type: "text", fontSize: 12 },
        encoding: {
          y,
          x: x("middle"),
          text: { field: "number" },
          color: { field: "text", type: "nominal", scale: null },
        },
      },
    ],
  };
  const figures = all.map(({ label, fractions }) => {
    const numbers = parts.map(({ key, title }) => `${title} ${percent(fractions[key].mean)}`);
    return `${shortLabel(label)}: ${numbers.join(", ")}`;
  });
  return { spec, alt: `Errors of each baseline on ${summary.split}: ${listed(figures)}.` };
}

/** A smaller fraction has no space for its number. */
const minNumbered = 0.05;

const titles = [
  { key: "correct", title: "correct" },
  { key: "rankingErrors", title: "ranking error" },
  { key: "detectionErrors", title: "detection error" },
] as const;

const parts = titles.map((part, index) => ({ ...part, ...(partColors[index] ?? { fill: "", text: "" }) }));
