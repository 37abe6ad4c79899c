import { count, counted } from "../base/format.ts";
import type { WorkerNow } from "../contract/generated/types.ts";
import { leaderboardLines } from "../sweep/view/leaderboard-lines.ts";
import { sweepView } from "../sweep/view/sweep-view.ts";
import { workerLines } from "../sweep/view/worker-lines.ts";
import type { ShownStatus } from "./sweep-status.ts";
import { filled, indented, utcTime } from "./text.ts";

/** The status of a sweep, for a terminal of 80 columns; while it runs, with the same view as in its own terminal. */
export function statusText(status: ShownStatus): string {
  const { name, question, owner, now, failures, report_file } = status;
  const head = [
    ...filled(question === null ? name : `${name}: ${question}`),
    ...indented(owner === null ? idleText(status) : `running: ${owner}`),
  ];
  if (now === null)
    return [
      ...head,
      ...indented(countsText(status)),
      ...workersText(status.left?.workers),
      ...failureLines(status),
      ...boardLines(status),
      ...(report_file === null ? [] : ["", `report: ${report_file}`]),
    ].join("\n");
  const view = { name, status: now, failures, num_failures: failures.length, hasIds: true };
  return [
    ...head,
    "",
    ...sweepView(view, { columns: 80, rows: maxViewLines }),
    ...workersText(now.workers),
  ].join("\n");
}

function workersText(workers: readonly WorkerNow[] = []): string[] {
  return workers.length === 0 ? [] : ["", ...workerLines(workers, 80, maxWorkerLines)];
}

const maxWorkerLines = 20;

/** With the lines above it, a screen of 50 lines. */
const maxViewLines = 44;
const maxBoardLines = 25;
const maxFailures = 5;

function idleText({ num_trials, num_completed, report_file, paused, left }: ShownStatus): string {
  if (left !== undefined) {
    const { num_waiting, num_running, num_ended, command } = left;
    const how = command === null ? "re-run its command without --detach" : `run \`${command}\``;
    return `no process follows it; its workers have ${counted(num_running, "trial")} that run, ${num_waiting} that wait, and ${num_ended} that ended; no others are sent when these workers end; ${how} to follow them, to send more, and for the report`;
  }
  if (paused !== null) {
    const { at, error } = paused;
    return `paused ${utcTime(at)}; re-run its command to resume after fixing ${error.code}: ${error.message}`;
  }
  const isDone = num_trials > 0 && num_completed === num_trials && report_file !== null;
  return `not running; ${isDone ? "all trials are complete" : "re-run its command to resume"}`;
}

/** None before a trial has completed. */
function boardLines({ leaderboard }: ShownStatus): string[] {
  if (leaderboard.num_configurations === 0) return [];
  return ["", ...leaderboardLines({ leaderboard }, 80, maxBoardLines).map((line) => line.trimEnd())];
}

function countsText({ num_trials, num_completed, failures }: ShownStatus): string {
  const failed = failures.length === 0 ? "" : `, ${count(failures.length)} failed`;
  return `${count(num_completed)} of ${counted(num_trials, "trial")} completed${failed}`;
}

function failureLines({ failures }: ShownStatus): string[] {
  const shown = failures.slice(0, maxFailures);
  const more = failures.length - shown.length;
  return [
    ...shown.flatMap(({ trial, attempt, error }) =>
      indented(`${trial} failed (attempt ${attempt}): ${error.code}: ${error.message}`),
    ),
    ...(more > 0 ? indented(`and ${count(more)} more failed; --json has all`) : []),
  ];
}
