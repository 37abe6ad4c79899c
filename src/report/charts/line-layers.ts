import type { ChartSpec } from "./chart-spec.ts";
import { color, type Style, shape } from "./shown-settings.ts";

/** A line for each configuration, with a symbol at each of its points. */
export function lineLayers(values: readonly Style[], x: ChartSpec, y: ChartSpec): ChartSpec[] {
  return [
    {
      data: { values },
      mark: { type: "line", strokeWidth: 2 },
      encoding: { x, y, color, detail: { field: "label" } },
    },
    {
      data: { values },
      mark: { type: "point", filled: true, size: 30, opacity: 1 },
      encoding: { x, y, color, shape },
    },
  ];
}
