/** A vega-lite specification. */
export type Spec = Record<string, unknown>;

/** SVG of a vega-lite specification; the same bytes each time. */
export async function chartSvg(spec: Spec): Promise<string> {
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

/** What all charts share. */
export const frame: Spec = {
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

/** An interval in %. */
export function scaled(interval: { mean: number; low: number; high: number }): {
  mean: number;
  low: number;
  high: number;
} {
  return { mean: interval.mean * 100, low: interval.low * 100, high: interval.high * 100 };
}
