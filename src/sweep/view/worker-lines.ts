import { cutMiddle, padded } from "../../base/display-width.ts";
import { counted, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import { oneLine } from "../../base/plain-text.ts";
import type { SweepStatus, WorkerNow } from "../../contract/generated/types.ts";
import { wholeSeconds } from "./eta.ts";

/**
 * Two lines about workers on other machines: how many there are on which nodes, and why not more. None if the trials run on this
 * machine. There are always two, so that nothing below them moves; none is empty, which log-update would draw in another place.
 */
export function workerSummary({
  workers,
  missing_workers,
}: Pick<SweepStatus, "workers" | "missing_workers">): string[] {
  if (workers === undefined) return [];
  const live = workers.filter(({ state }) => state === "idle" || state === "running");
  const numRunning = live.filter(({ state }) => state === "running").length;
  const num = (state: WorkerNow["state"]): number => workers.filter((each) => each.state === state).length;
  const others = (["starting", "refused", "barred"] as const).filter((state) => num(state) > 0);
  const head = live.length === 0 ? "no worker" : `${counted(live.length, "worker")} on ${nodesText(live)}`;
  const parts = [
    head,
    ...(live.length === 0 ? [] : [`${numRunning} busy`]),
    ...others.map((state) => `${num(state)} ${state}`),
  ];
  const left = workers.findLast(({ state }) => state === "barred" || state === "refused");
  const whyLeft = left === undefined ? [] : [`${left.state} ${left.worker}: ${left.reason ?? ""}`];
  const why = [...(missing_workers ? [missing_workers] : []), ...whyLeft].join("; ");
  return [parts.join(", "), oneLine(why || "no further worker is waited for")];
}

/** "n1 (2), n2 and 3 more": the nodes with the most workers. */
function nodesText(live: readonly WorkerNow[]): string {
  const nodes = [...groupBy(live, ({ node }) => node)].toSorted(([, a], [, b]) => b.length - a.length);
  const shown = nodes
    .slice(0, maxNodes)
    .map(([node, all]) => oneLine(node) + (all.length > 1 ? ` (${all.length})` : ""));
  const more = nodes.length - shown.length;
  return joinWords([...shown, ...(more > 0 ? [`${more} more`] : [])]);
}

const maxNodes = 4;

/** A table with a line for each worker: where it runs, what it does, and its last sign of life. For `cliprpn status`. */
export function workerLines(workers: readonly WorkerNow[], columns: number, maxLines: number): string[] {
  const shown = workers.slice(0, maxLines);
  const width = columns - stateWidth - idWidth - heartbeatWidth - 3 * gap.length;
  const line = (worker: string, state: string, id: string, heartbeat: string): string =>
    [
      padded(cutMiddle(worker, width), width),
      padded(state, stateWidth),
      padded(id, idWidth),
      padded(heartbeat, heartbeatWidth, "right"),
    ].join(gap);
  return [
    line("worker", "state", "trial", "heartbeat"),
    ...shown.flatMap(({ worker, state, trial_id = "", silent_ms, reason }) => [
      line(
        oneLine(worker),
        state,
        trial_id.slice(0, idWidth),
        silent_ms === undefined ? "" : `${wholeSeconds(silent_ms)} ago`,
      ).trimEnd(),
      ...(reason === undefined ? [] : [`  ${oneLine(reason)}`]),
    ]),
    ...(workers.length > shown.length
      ? [`and ${counted(workers.length - shown.length, "more worker")}; --json has all`]
      : []),
  ];
}

const gap = "  ";
const stateWidth = 8;
const idWidth = 8;
const heartbeatWidth = 11;
