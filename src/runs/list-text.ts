import { count, counted, joinWords, percent } from "../base/format.ts";
import type { ListedComparison } from "./list-comparisons.ts";
import type { BestSetting, ListedSweep, TrialCounts } from "./list-sweeps.ts";
import { filled, indented, utcTime } from "./text.ts";

/** The sweeps, then the comparisons, for a terminal of 80 columns. */
export function listText(
  sweeps: readonly ListedSweep[],
  comparisons: readonly ListedComparison[] = [],
): string {
  return [...sweeps.map(sweepText), ...comparisons.map(comparisonText)].join("\n\n");
}

function comparisonText({ name, question, models, data, changed_at, problem }: ListedComparison): string {
  const title = question === null ? name : `${name}: ${question}`;
  const parts = [
    ...(models === null || data === null ? [] : [`comparison of ${joinWords(models)} on ${joinWords(data)}`]),
    `changed ${utcTime(changed_at)}`,
    ...(problem === null ? [] : [`cannot be read: ${problem}`]),
  ];
  return [...filled(title), ...parts.flatMap((part) => indented(part))].join("\n");
}

function sweepText(sweep: ListedSweep): string {
  const { name, question, trials, best, running, changed_at, num_unknown_lines, problem } = sweep;
  const parts = [
    ...(trials === null ? [] : [progressText(trials)]),
    ...(best === null ? [] : [bestText(best)]),
    ...(running === null ? [] : [`running: ${running}`]),
    `changed ${utcTime(changed_at)}`,
    ...(num_unknown_lines === 0
      ? []
      : [`${counted(num_unknown_lines, "line")} of its journal unknown to this version of cliprpn`]),
    ...(problem === null ? [] : [`cannot be read: ${problem}`]),
  ];
  const title = question === null ? name : `${name}: ${question}`;
  return [...filled(title), ...parts.flatMap((part) => indented(part))].join("\n");
}

function progressText({ asked, completed, stale, failed, waiting, not_asked }: TrialCounts): string {
  const states = [
    `${count(completed)} of ${counted(asked, "trial")} completed`,
    ...(stale === 0 ? [] : [`${count(stale)} of them stale (by other code)`]),
    ...(failed === 0 ? [] : [`${count(failed)} failed`]),
    ...(waiting === 0 ? [] : [`${count(waiting)} waiting`]),
  ].join(", ");
  return not_asked === 0 ? states : `${states}; ${count(not_asked)} no longer asked for`;
}

function bestText({ label, acc_at_50, num_trials }: BestSetting): string {
  const seeds = num_trials === 1 ? "" : `, the mean of ${count(num_trials)} seeds`;
  // Whether it is the best is what the report says.
  return `highest Acc@0.5 on val: ${label}, ${percent(acc_at_50)}${seeds}`;
}
