import { oneLine } from "../../base/plain-text.ts";
import type { Chart, ChartSpec } from "./chart-spec.ts";
import { colors, withTheme } from "./theme.ts";

/**
 * The chart as SVG, for light and dark pages; the same chart gives the same bytes.
 *
 * @param name of the chart, which no other one on the same page has.
 */
export async function renderSvg({ spec, alt }: Chart, name: string): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  vega.resetSVGDefIds();
  vega.textMetrics.width = textWidth;
  const compiled = compile(JSON.parse(JSON.stringify({ ...baseSpec, ...spec }))).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  try {
    return withTheme(await view.toSVG(), `cliprpn-${name}`, oneLine(alt));
  } finally {
    view.finalize();
  }
}

declare module "vega" {
  /** How Vega measures text, which it only estimates without a browser. */
  const textMetrics: { width: (item: { fontSize?: number; fontWeight?: string }, text: unknown) => number };
}

/** Width of a text in pixels, at most a few percent too small: letters of DejaVu Sans, wider signs as squares. */
function textWidth(
  { fontSize = 11, fontWeight }: { fontSize?: number; fontWeight?: string },
  text: unknown,
): number {
  const letters = Array.from(String(text ?? "").trim());
  const ems = letters.reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) < 0x2e80 ? 0.63 : 1.3), 0);
  return Math.ceil(ems * fontSize * (fontWeight === "bold" ? 1.12 : 1));
}

/** The common part of all charts. */
const baseSpec: ChartSpec = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  background: colors.background,
  padding: 12,
  config: {
    font: "DejaVu Sans, Verdana, sans-serif",
    axis: {
      labelFontSize: 12,
      labelColor: colors.text,
      titleFontSize: 12,
      titleFontWeight: "normal",
      titleColor: colors.text,
      titleLineHeight: 16,
      gridColor: colors.grid,
      domainColor: colors.axis,
      tickColor: colors.axis,
    },
    legend: {
      labelFontSize: 12,
      labelColor: colors.text,
      titleFontSize: 12,
      titleFontWeight: "normal",
      titleColor: colors.text,
      symbolOpacity: 1,
      symbolStrokeWidth: 2,
    },
    text: { color: colors.text, fontSize: 12 },
    scale: { rectBandPaddingInner: 0.08 },
    view: { stroke: null },
  },
};
