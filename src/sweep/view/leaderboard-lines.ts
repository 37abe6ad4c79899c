import { cutMiddle, padded } from "../../base/display-width.ts";
import { count, counted, percent } from "../../base/format.ts";
import { oneLine } from "../../base/plain-text.ts";
import type { ConfigurationSoFar, SweepStatus } from "../../contract/generated/types.ts";

/**
 * A table of the configurations with completed trials: while the sweep runs, with confidence intervals as far as they are computed;
 * else, and where there is room, with the range of the seeds, which is none.
 */
export function leaderboardLines(
  { leaderboard }: Pick<SweepStatus, "leaderboard">,
  columns: number,
  maxLines: number,
): string[] {
  const { num_configurations = 0, configurations = [], confidence } = leaderboard ?? {};
  const figures = columnsFor(columns, confidence);
  const left = columns - figures.reduce((total, { width }) => total + width + gap, 0);
  const nameWidth = Math.max(minNameWidth, Math.min(maxNameWidth, left));
  const line = (name: string, cells: readonly string[]): string =>
    [
      padded(cutMiddle(name, nameWidth), nameWidth),
      ...cells.map((cell, index) => padded(cell, figures[index]?.width ?? 0, "right")),
    ].join(" ".repeat(gap));
  const title = line(
    "completed, on val",
    figures.map((figure) => figure.title),
  );
  if (num_configurations === 0) return [title, "  no trial yet"].slice(0, maxLines);
  const most = Math.max(1, maxLines - 1);
  const numShown =
    num_configurations <= Math.min(most, configurations.length)
      ? num_configurations
      : Math.min(most - 1, configurations.length);
  const more = num_configurations - numShown;
  return [
    title,
    ...configurations.slice(0, numShown).map((each) =>
      line(
        nameOf(each),
        figures.map(({ cell }) => cell(each)),
      ),
    ),
    ...(more > 0 ? [`  and ${counted(more, "more configuration")}`] : []),
  ];
}

interface Column {
  title: string;
  width: number;
  cell: (row: ConfigurationSoFar) => string;
}

/** @param confidence level of the intervals; undefined if there are none. */
function columnsFor(columns: number, confidence: number | undefined): Column[] {
  const isNarrow = columns < 70;
  const range: Column = {
    title: isNarrow ? "min–max of seeds" : "min to max of seeds",
    width: isNarrow ? 16 : 19,
    cell: ({ num_completed, acc_at_50: { min, max } }) => (num_completed < 2 ? "–" : rangeText(min, max)),
  };
  if (confidence === undefined) return [seeds, mean, range];
  const interval: Column = {
    title: `${Number((100 * confidence).toFixed(2))} % CI`,
    width: 17,
    cell: ({ interval }) => (interval == null ? "–" : rangeText(interval.low, interval.high)),
  };
  return [seeds, mean, interval, ...(columns < minColumnsForBoth ? [] : [range])];
}

const seeds: Column = {
  title: "seeds",
  width: 8,
  cell: ({ num_completed, num_trials }) => `${count(num_completed)} of ${count(num_trials)}`,
};
const mean: Column = {
  title: "mean Acc@0.5",
  width: 12,
  cell: ({ acc_at_50 }) => percent(acc_at_50.mean),
};
const minColumnsForBoth = 100;
const gap = 2;
const maxNameWidth = 74;
const minNameWidth = 12;

function nameOf({ label, is_upper_bound = false }: ConfigurationSoFar): string {
  return `  ${oneLine(label)}${is_upper_bound ? " (upper bound)" : ""}`;
}

function rangeText(low: number, high: number): string {
  return `${percent(low)} to ${percent(high)}`;
}
