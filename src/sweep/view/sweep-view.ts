import { cutEnd, cutMiddle } from "../../base/display-width.ts";
import { count, counted } from "../../base/format.ts";
import { oneLine } from "../../base/plain-text.ts";
import type { ErrorInfo, SweepStatus } from "../../contract/generated/types.ts";
import { describeLeft, describePreparation } from "./eta.ts";
import { leaderboardLines } from "./leaderboard-lines.ts";
import { slotLines } from "./slot-lines.ts";
import { workerSummary } from "./worker-lines.ts";

/** What a view of a running sweep shows. */
export interface SweepView {
  name: string;
  status: SweepStatus;
  failures: readonly ShownFailure[];
  /** Number of failures, of which `failures` may be the last ones. */
  num_failures: number;
  /** Show the ids of running trials, which `cliprpn stop` takes; a wide view shows them in any case. */
  hasIds?: boolean;
}

export interface ShownFailure {
  /** "film, seed 0". */
  trial: string;
  error: ErrorInfo;
}

/** Room for a view, in characters. */
export interface ViewSize {
  columns: number;
  rows: number;
}

/**
 * A sweep in at most `rows` lines of at most `columns` columns: counts and remaining time, slots, leaderboard so far, last failures.
 * The place of a block changes only when a block above it gets a line more.
 */
export function sweepView(view: SweepView, { columns, rows }: ViewSize): string[] {
  const { status } = view;
  const gap = rows >= minRowsForGaps ? [""] : [];
  const { preparing } = status;
  const activity =
    preparing === undefined ? describeLeft(status) : describePreparation(preparing, Date.parse(status.at));
  const head = [countsText(view), activity, ...workerSummary(status)];
  const numBoard = Math.max(1, status.leaderboard?.configurations.length ?? 0);
  const board = 1 + gap.length + Math.min(numBoard, minBoard);
  const others = head.length + gap.length + board + 1 + (status.num_slots ?? 0);
  const hasRoom = rows >= minRowsForGaps && others + gap.length + 1 + maxFailures <= rows;
  const failures = failureLines(view, hasRoom ? maxFailures : 1, columns);
  const fixed = head.length + gap.length + (failures.length > 0 ? gap.length + failures.length : 0);
  const slots = slotLines(status, { columns, hasIds: view.hasIds }, Math.max(minSlots, rows - fixed - board));
  const left = rows - fixed - gap.length - slots.length;
  const leaderboard = left > 1 ? leaderboardLines(status, columns, left) : [];
  const blocks = [slots, leaderboard, failures].filter(({ length }) => length > 0);
  return [head, ...blocks.map((block) => [...gap, ...block])]
    .flat()
    .slice(0, rows)
    .map((line) => cutEnd(line, columns).trimEnd());
}

/** A view with fewer has no empty lines, and one failure. */
const minRowsForGaps = 16;
const maxFailures = 3;
/** Of the trial of a failure: its error needs the room. */
const minNameWidth = 12;
/** Lines that the leaderboard gets before slots are left out, and slots before the leaderboard is. */
const minBoard = 5;
const minSlots = 3;

function countsText({ name, status: { num_done, num_trials, num_failed } }: SweepView): string {
  const failed = num_failed === 0 ? "" : `, ${count(num_failed)} of them failed`;
  return `${oneLine(name)}: ${count(num_done)} of ${counted(num_trials, "trial")} done${failed}`;
}

/** The last failures under a title; none if nothing failed. */
function failureLines({ failures, num_failures }: SweepView, most: number, columns: number): string[] {
  if (failures.length === 0) return [];
  const shown = failures.slice(-most);
  const title =
    num_failures > shown.length ? `failed, last ${shown.length} of ${count(num_failures)}` : "failed";
  return [
    title,
    ...shown.map(({ trial, error }) => {
      const name = cutMiddle(oneLine(trial), Math.max(minNameWidth, Math.floor(columns / 3)));
      return `  ${name}: ${oneLine(`${error.code}: ${error.message}`)}`;
    }),
  ];
}
