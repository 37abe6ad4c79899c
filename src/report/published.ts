import type { RootContent } from "mdast";
import { figureOf, metricTitles, none } from "./figures.ts";
import { heading, table } from "./markdown.ts";
import { interval, points, range } from "./points.ts";
import type { ReportInput } from "./report-input.ts";

/** Every setting beside the bands that others have published for this split. */
export function published({ published: bands, summary }: ReportInput): RootContent[] {
  const rows = bands
    .filter(({ split }) => split === summary.split)
    .flatMap(({ metric, low, high, source, verified }) =>
      summary.settings.map((setting) => {
        const ours = figureOf(setting, metric)?.interval;
        return [
          setting.label,
          metricTitles[metric],
          source,
          verified ? "yes" : "no",
          range(points(low), points(high)),
          ours === undefined ? none : interval(ours),
          ours === undefined ? none : place(ours.mean, low, high),
        ];
      }),
    );
  if (rows.length === 0) return [];
  return [
    heading(2, "Against published figures"),
    table(["setting", "figure", "source", "verified", "band, %", "here, %", "here"], rows, 4),
  ];
}

function place(mean: number, low: number, high: number): string {
  return mean < low ? "below" : mean > high ? "above" : "inside";
}
