import { relative } from "node:path";
import { count, counted, formatBytes } from "../base/format.ts";
import { describeOwner } from "../base/owner-lock.ts";
import type { GcPlan, OptionalReason, Reason, Removal } from "./removal.ts";
import { filled, indented, textTable } from "./text.ts";

/**
 * What was removed, or would be, for a terminal of 80 columns.
 *
 * @param isDone false for a plan.
 */
export function gcText(plan: GcPlan, isDone: boolean, cwd: string): string {
  const { removals, more, skipped, problems } = plan;
  const blocks = [
    filled(summary(removals, isDone)),
    ...(Object.keys(titles) as Reason[]).flatMap((reason) => reasonBlock(reason, removals, cwd)),
    moreLines(more),
    skipped.flatMap(({ trial_id, sweep, owner }) =>
      filled(
        `Skipped: trial ${trial_id}, because ${sweep === null ? "it" : `the sweep ${sweep}`} is running: ${describeOwner(owner)}`,
      ),
    ),
    problems.flatMap((problem) => filled(`Cannot be read, so everything it may need is kept: ${problem}`)),
    isDone || removals.length === 0 ? [] : filled("Nothing was removed yet: add --yes to remove this."),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** The sizes of removals by their reasons, for JSON. */
export function totals(removals: readonly Removal[]): { reason: Reason; num: number; bytes: number }[] {
  return (Object.keys(titles) as Reason[]).flatMap((reason) => {
    const found = removals.filter((removal) => removal.reason === reason);
    return found.length === 0 ? [] : [{ reason, num: found.length, bytes: sum(found) }];
  });
}

const titles: Record<Reason, string> = {
  unfinished: "Attempts that were interrupted or killed",
  resumable: "Interrupted attempts with a checkpoint that the next run of their trial continues",
  failed: "Failed attempts (the newest is kept while its trial is asked for and has no result)",
  refused: "Completed attempts that do not count, since another one was accepted first",
  old_code: "Stale results (by other code) of trials that the current code has completed",
  unasked: "Trials that no sweep asks for",
  last_model: "Models of the last epoch (those of the best epoch are kept)",
  answers: "Answers read from files that no comparison has any more; they can be read again",
  joint:
    "Joint training sets in the cache that nothing in this runs folder uses; they are made again if needed",
  leftover: "Incomplete files that killed processes left",
  log: "Old logs",
};

const options: Record<OptionalReason, string> = {
  resumable: "--resumable",
  old_code: "--old-code",
  unasked: "--unasked",
  last_model: "--last-models",
  joint: "--joint-data",
};

function summary(removals: readonly Removal[], isDone: boolean): string {
  if (removals.length === 0) return isDone ? "Nothing was removed." : "There is nothing to remove.";
  const size = formatBytes(sum(removals));
  return isDone ? `Freed ${size}:` : `This would free ${size}:`;
}

function reasonBlock(reason: Reason, removals: readonly Removal[], cwd: string): string[][] {
  const found = removals.filter((removal) => removal.reason === reason);
  if (found.length === 0) return [];
  const rows = found
    .slice(0, maxShown)
    .map(({ path, bytes }) => [formatBytes(bytes).padStart(8), shorter(relative(cwd, path), path)]);
  const hidden = found.length - rows.length;
  return [
    [
      ...filled(`${titles[reason]}: ${count(found.length)}, ${formatBytes(sum(found))}`),
      ...textTable(rows, 2),
      ...(hidden === 0 ? [] : [`  and ${count(hidden)} more (--json lists all)`]),
    ],
  ];
}

const maxShown = 10;

function moreLines(more: readonly Removal[]): string[] {
  return (Object.keys(options) as OptionalReason[]).flatMap((reason) => {
    const found = more.filter((removal) => removal.reason === reason);
    return found.length === 0
      ? []
      : indented(
          `${options[reason]} would add ${formatBytes(sum(found))}: ${lowerFirst(titles[reason])} (${counted(found.length, "item")})`,
          "",
        );
  });
}

function sum(removals: readonly Removal[]): number {
  return removals.reduce((total, { bytes }) => total + bytes, 0);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function shorter(a: string, b: string): string {
  return a.length < b.length ? a : b;
}
