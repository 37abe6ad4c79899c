import { cutMiddle, padded } from "../../base/display-width.ts";
import { count, counted, percent } from "../../base/format.ts";
import { oneLine } from "../../base/plain-text.ts";
import type { ConfigurationSoFar, SweepStatus } from "../../contract/generated/types.ts";

/**
 * A table of the configurations with completed trials. It has the range of the seeds and no confidence interval: one that holds for
 * images and seeds needs the predictions, and is computed for the report.
 */
export function leaderboardLines(
  { leaderboard }: Pick<SweepStatus, "leaderboard">,
  columns: number,
  maxLines: number,
): string[] {
  const { num_configurations = 0, configurations = [] } = leaderboard ?? {};
  const range = columns < 70 ? narrowRange : wideRange;
  const left = columns - width.seeds - width.mean - range.width - 3 * gap;
  const nameWidth = Math.max(minNameWidth, Math.min(maxNameWidth, left));
  const line = (cells: Cells): string => lineOf(cells, nameWidth, range.width);
  const title = line(["completed, on val", "seeds", "mean Acc@0.5", range.title]);
  if (num_configurations === 0) return [title, "  no trial yet"].slice(0, maxLines);
  const most = Math.max(1, maxLines - 1);
  const numShown =
    num_configurations <= Math.min(most, configurations.length)
      ? num_configurations
      : Math.min(most - 1, configurations.length);
  const more = num_configurations - numShown;
  return [
    title,
    ...configurations.slice(0, numShown).map((each) => line(cellsOf(each))),
    ...(more > 0 ? [`  and ${counted(more, "more configuration")}`] : []),
  ];
}

const width = { seeds: 8, mean: 12 } as const;
const wideRange = { title: "min to max of seeds", width: 19 };
const narrowRange = { title: "min–max of seeds", width: 16 };
const gap = 2;
const maxNameWidth = 74;
const minNameWidth = 12;

type Cells = [name: string, seeds: string, mean: string, range: string];

function cellsOf({ label, num_trials, num_completed, acc_at_50 }: ConfigurationSoFar): Cells {
  const { mean, min, max } = acc_at_50;
  const range = num_completed < 2 ? "–" : `${percent(min)} to ${percent(max)}`;
  return [`  ${oneLine(label)}`, `${count(num_completed)} of ${count(num_trials)}`, percent(mean), range];
}

function lineOf([name, seeds, mean, range]: Cells, nameWidth: number, rangeWidth: number): string {
  return [
    padded(cutMiddle(name, nameWidth), nameWidth),
    padded(seeds, width.seeds, "right"),
    padded(mean, width.mean, "right"),
    padded(range, rangeWidth, "right"),
  ].join(" ".repeat(gap));
}
