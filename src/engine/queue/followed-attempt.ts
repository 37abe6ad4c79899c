import { CliprpnError } from "../../contract/errors.ts";
import type { EndedAttempt, ErrorCode } from "../../contract/generated/types.ts";
import type { AttemptEnd } from "../launcher.ts";
import { EventTail } from "./event-tail.ts";
import type { Pilot } from "./pilot-watch.ts";
import type { QueueFolder } from "./queue-folder.ts";
import type { QueuedWork } from "./queued-work.ts";

/** An attempt in the queue, as this process sees it. */
export interface FollowedAttempt {
  work: QueuedWork;
  entry: string;
  tail: EventTail;
  /** Set when it has started. */
  pilot?: Pilot;
  startedAt: number;
  isCanceled: boolean;
  /** When its pilot is killed, if it has not ended. */
  killAt: number;
  /** When its end was first seen. */
  endedAt: number | undefined;
  hasTimedOut: boolean;
}

export function followAttempt(work: QueuedWork, queue: QueueFolder): FollowedAttempt {
  const { entry } = work;
  return {
    work,
    entry,
    tail: new EventTail(queue.eventsFile(entry)),
    startedAt: performance.now(),
    isCanceled: false,
    killAt: Number.POSITIVE_INFINITY,
    endedAt: undefined,
    hasTimedOut: false,
  };
}

/** Times that decide what an end means. */
export interface AttemptTimes {
  /** After this, an attempt is ended. */
  trialTimeoutMs?: number | undefined;
  /** The time limit of a pilot. */
  pilotLimitMs?: number | undefined;
}

/** Workers need a part of their time to start; an attempt that began in the middle of it says nothing about the limit. */
const hadTimeShare = 0.75;

/** What is told about an end in the queue. `outcome.json` counts, even if the pilot was lost after its worker wrote it. */
export function endOfAttempt(
  { work, startedAt, isCanceled, hasTimedOut }: FollowedAttempt,
  end: EndedAttempt,
  { trialTimeoutMs = 0, pilotLimitMs = Number.POSITIVE_INFINITY }: AttemptTimes,
): AttemptEnd<unknown> {
  const outcome = work.outcome();
  if (outcome !== undefined) return { how: "outcome", outcome };
  if (end.how === "error" && end.error !== null && end.error.code !== "interrupted")
    return errorEnd(end.error.code, end.error.message, work);
  if (hasTimedOut) {
    const message = `run_trial took longer than ${trialTimeoutMs / 1000} s and was stopped`;
    return errorEnd("timed_out", message, work);
  }
  if (isCanceled) return { how: "canceled" };
  // Canceled by an earlier process that ran the sweep, which did not get to record it.
  if (end.how === "preempted" || end.how === "canceled") {
    const hadTime = performance.now() - startedAt >= pilotLimitMs * hadTimeShare;
    return { how: "preempted", reason: end.reason, ...(hadTime ? { limitMs: pilotLimitMs } : {}) };
  }
  // Without its place, which the journal has: reports and archives name no machine.
  const reason = end.how === "outcome" ? "it wrote no outcome" : end.reason;
  return errorEnd("worker_died", `the worker was lost: ${reason}`, work);
}

function errorEnd(code: ErrorCode, message: string, work: QueuedWork): AttemptEnd<never> {
  return { how: "error", error: new CliprpnError(code, work.messageOf({ code, message })) };
}
