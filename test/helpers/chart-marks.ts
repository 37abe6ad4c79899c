import type { Chart, ChartSpec } from "../../src/report/charts/chart-spec.ts";

type Row = Record<string, unknown>;

/** The data of each layer with a kind of mark. */
export function marksOf(chart: Chart | undefined, type: string): Row[][] {
  return layersOf(chart)
    .filter(({ mark }) => (mark as ChartSpec).type === type)
    .map((layer) => ((layer.data ?? chart?.spec.data) as { values: Row[] }).values);
}

/** The encoding of a channel in the first layer that has it. */
export function encodingOf(chart: Chart | undefined, channel: string): ChartSpec {
  const encodings = layersOf(chart).map(({ encoding }) => encoding as Record<string, ChartSpec>);
  return encodings.find((encoding) => encoding[channel] !== undefined)?.[channel] ?? {};
}

/** The range of an axis. */
export function domainOf(chart: Chart | undefined, channel: "x" | "y"): [number, number] {
  return (encodingOf(chart, channel).scale as { domain: [number, number] }).domain;
}

/** The lines below an axis. */
export function axisTitle(chart: Chart | undefined, channel: "x" | "y"): string {
  return [(encodingOf(chart, channel).axis as ChartSpec).title].flat().join("\n");
}

function layersOf(chart: Chart | undefined): ChartSpec[] {
  return (chart?.spec.layer ?? []) as ChartSpec[];
}

/** The texts of an SVG, its lines apart. */
export function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]+)(?=<)/g)].map(([, text]) => text ?? "");
}
