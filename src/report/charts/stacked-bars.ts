import type { ChartSpec } from "./chart-spec.ts";
import { settingRows } from "./labels.ts";
import { colors } from "./theme.ts";

/** A part of every bar. */
export interface BarPart {
  /** In the legend. */
  title: string;
  fill: string;
  /** Color of the text on it. */
  text: string;
}

/** A bar of one configuration, as it is drawn. */
export interface Bar<P extends BarPart> {
  /** In lines. */
  label: string;
  /** The parts from left to right; fractions of the whole, which add up to 1. */
  parts: { part: P; fraction: number; mark: string }[];
}

/**
 * A stacked bar for each configuration, over 0 to 100 %. Order, lightness and marks tell the parts apart, so the chart is
 * readable without colors.
 *
 * @param parts in the order of the legend.
 * @param legend changes of the legend.
 */
export function stackedBars<P extends BarPart>(
  bars: Bar<P>[],
  parts: readonly P[],
  { width, axisTitle, legend = {} }: { width: number; axisTitle: string[]; legend?: ChartSpec },
): ChartSpec {
  const { y, height } = settingRows(bars.map(({ label }) => label));
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: { title: axisTitle },
  });
  return {
    width,
    height,
    data: { values: bars.flatMap(placeParts) },
    layer: [
      {
        mark: { type: "bar", stroke: colors.text, strokeWidth: 0.8, height: 24 },
        encoding: {
          y,
          x: x("from"),
          x2: { field: "to" },
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
              ...legend,
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
}

/** Where each part begins and ends, in percent. */
function placeParts<P extends BarPart>({ label, parts }: Bar<P>): object[] {
  let start = 0;
  return parts
    .filter(({ fraction }) => fraction > 0)
    .map(({ part, fraction, mark }) => {
      const from = start;
      start += fraction * 100;
      return { label, part: part.title, from, to: start, middle: (from + start) / 2, mark, text: part.text };
    });
}
