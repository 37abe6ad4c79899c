import type { Summary } from "../../contract/generated/types.ts";
import { errorFractions } from "../figures.ts";
import { points } from "../points.ts";
import { baseSpec, type ChartSpec, rowColumns, settingRows, wrapLabel } from "./chart-spec.ts";

/** A stacked bar per baseline: correct predictions, ranking errors and detection errors. */
export function errorsChart(summary: Summary): ChartSpec | undefined {
  const baselines = summary.settings.flatMap((setting) => {
    const fractions = errorFractions(setting);
    return fractions === undefined ? [] : [{ label: wrapLabel(setting.label, rowColumns), fractions }];
  });
  if (baselines.length === 0) return undefined;
  const values = baselines.flatMap(({ label, fractions }) => {
    let start = 0;
    return parts.map(({ key, title, text }) => {
      const fraction = fractions[key].mean;
      const from = start * 100;
      start += fraction;
      const number = fraction < minNumbered ? "" : points(fraction);
      return { label, part: title, from, to: start * 100, middle: from + fraction * 50, number, text };
    });
  });
  const { y, height } = settingRows(baselines.map(({ label }) => label));
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: { title: `referring expressions of ${summary.split} (%)` },
  });
  return {
    ...baseSpec,
    width: 520,
    height,
    data: { values },
    layer: [
      {
        mark: { type: "bar", stroke: "#333", strokeWidth: 0.8, height: 24 },
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
              symbolStrokeColor: "#333",
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
}

/** A smaller fraction has no space for its number. */
const minNumbered = 0.05;

const parts = [
  { key: "correct", title: "correct", fill: "#0b3c6f", text: "white" },
  { key: "rankingErrors", title: "ranking error", fill: "#9ecae1", text: "#111" },
  { key: "detectionErrors", title: "detection error", fill: "#ffffff", text: "#111" },
] as const;
