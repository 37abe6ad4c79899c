import { wrapText, wrapWords } from "../../base/format.ts";
import type { Interval, Summary } from "../../contract/generated/types.ts";

/** A Vega-Lite specification. */
export type ChartSpec = Record<string, unknown>;

/** The chart as SVG; the same specification gives the same bytes. */
export async function renderSvg(spec: ChartSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(compile(JSON.parse(JSON.stringify(spec))).spec), {
    renderer: "none",
  });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** The common part of all charts. */
export const baseSpec: ChartSpec = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  background: "white",
  padding: 10,
  config: {
    font: "DejaVu Sans, Verdana, sans-serif",
    axis: {
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: "normal",
      gridColor: "#e8e8e8",
      domainColor: "#888",
      tickColor: "#888",
    },
    legend: {
      labelFontSize: 12,
      titleFontSize: 12,
      labelColor: "#222",
      symbolOpacity: 1,
      symbolStrokeWidth: 2,
    },
    view: { stroke: null },
  },
};

/** An interval in percent; without one, both ends are the mean. */
export function toPercent({ mean, low, high }: Interval): { mean: number; low: number; high: number } {
  return { mean: mean * 100, low: (low ?? mean) * 100, high: (high ?? mean) * 100 };
}

/** The largest number of colors that color-blind readers can distinguish. */
export const maxDrawn = 8;

// The palette of Okabe and Ito for color-blind readers, its yellow darkened for a white background.
const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b3a100", "#555555"];

/** Labels of the best configurations that a chart has colors for. */
export function bestSettings({ settings }: Summary): string[] {
  return settings.slice(0, maxDrawn).map(({ label }) => wrapLabel(label));
}

/** The same of trained configurations only. */
export function bestTrained({ settings }: Summary): string[] {
  const trained = settings.filter(({ kind }) => kind === "cliprpn");
  return trained.slice(0, maxDrawn).map(({ label }) => wrapLabel(label));
}

/** A label in lines, split at its commas if possible. It is not truncated: labels of one sweep often start the same. */
export function wrapLabel(label: string, columns = 36): string {
  const parts = label.split(/(?<=,) /).flatMap((part) => wrapText(part, columns));
  return wrapWords(parts, columns).join("\n");
}

/** Columns of a label left of its row, which has more room than a legend. */
export const rowColumns = 42;

const multiline = { labelExpr: "split(datum.label, '\\n')", labelLimit: 600 };
const lineHeight = 14;

/** One row per configuration, with its label vertically centered. */
export function settingRows(labels: string[]): { y: ChartSpec; height: ChartSpec } {
  const mostLines = labels.reduce((most, label) => Math.max(most, label.split("\n").length), 0);
  const labelOffset = { expr: `(1 - length(split(datum.value, '\\n'))) * ${lineHeight / 2}` };
  const axis = { title: null, labelOffset, ...multiline };
  return {
    // Sorting by the list of labels would become one nested expression, too deep for several hundred of them.
    y: { field: "label", type: "nominal", sort: null, scale: { domain: labels }, axis },
    height: { step: Math.max(34, mostLines * lineHeight + 10) },
  };
}

/** A configuration has the same color in every chart; one outside the best eight gets an unused color. */
export function settingColor(summary: Summary, shown: string[], legend: ChartSpec): ChartSpec {
  const best = bestSettings(summary);
  const unused = palette.filter((_, index) => !shown.includes(best[index] ?? ""));
  const range = shown.map((label) => palette[best.indexOf(label)] ?? unused.shift());
  return {
    field: "label",
    type: "nominal",
    scale: { domain: shown, range },
    legend: { title: null, ...multiline, ...legend },
  };
}
