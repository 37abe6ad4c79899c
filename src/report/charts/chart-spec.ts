import { count } from "../../base/format.ts";

/** A Vega-Lite specification. */
export type ChartSpec = Record<string, unknown>;

/** A chart with its alt text, which states the main numbers. */
export interface Chart {
  spec: ChartSpec;
  alt: string;
}

/** Main numbers for an alt text, of at most eight. */
export function listed(figures: readonly string[]): string {
  const hidden = figures.length - maxListed;
  return [...figures.slice(0, maxListed), ...(hidden > 0 ? [`and ${count(hidden)} more`] : [])].join("; ");
}

const maxListed = 8;
