import { CliprpnError } from "../../contract/errors.ts";
import type { EndedAttempt, ErrorCode } from "../../contract/generated/types.ts";
import { messageOf } from "../error-message.ts";
import type { Attempt, AttemptEnd } from "../launcher.ts";
import { EventTail } from "./event-tail.ts";
import { describePilot, type Pilot } from "./pilot-watch.ts";
import { entryOf, type QueueFolder } from "./queue-folder.ts";

/** An attempt in the queue, as this process sees it. */
export interface FollowedAttempt {
  attempt: Attempt;
  entry: string;
  tail: EventTail;
  /** Set when it has started. */
  pilot?: Pilot;
  startedAt: number;
  isCanceled: boolean;
  /** When its pilot is killed, if it has not ended. */
  killAt: number;
  hasTimedOut: boolean;
}

export function followAttempt(attempt: Attempt, queue: QueueFolder): FollowedAttempt {
  const entry = entryOf({ trial_id: attempt.spec.trial_id, number: attempt.number });
  return {
    attempt,
    entry,
    tail: new EventTail(queue.eventsFile(entry)),
    startedAt: performance.now(),
    isCanceled: false,
    killAt: Number.POSITIVE_INFINITY,
    hasTimedOut: false,
  };
}

/**
 * What the controller is told about an end in the queue. `outcome.json` counts, even if the pilot was lost after its worker wrote it.
 *
 * @param trialTimeoutMs after which an attempt is ended.
 */
export function endOfAttempt(
  { attempt, pilot, isCanceled, hasTimedOut }: FollowedAttempt,
  end: EndedAttempt,
  trialTimeoutMs: number | undefined,
): AttemptEnd {
  const outcome = attempt.outcome();
  if (outcome !== undefined) return { how: "outcome", outcome };
  if (end.how === "error" && end.error !== null && end.error.code !== "interrupted")
    return errorEnd(end.error.code, end.error.message, attempt);
  if (hasTimedOut) {
    const seconds = (trialTimeoutMs ?? 0) / 1000;
    return errorEnd("timed_out", `run_trial took longer than ${seconds} s and was stopped`, attempt);
  }
  if (isCanceled) return { how: "canceled" };
  // Canceled by an earlier process that ran the sweep, which did not get to record it.
  if (end.how === "preempted" || end.how === "canceled") return { how: "preempted", reason: end.reason };
  const where = pilot === undefined ? "" : ` on ${describePilot(pilot)}`;
  const reason = end.how === "outcome" ? "it wrote no outcome" : end.reason;
  return errorEnd("worker_died", `the worker${where} was lost: ${reason}`, attempt);
}

function errorEnd(code: ErrorCode, message: string, attempt: Attempt): AttemptEnd {
  return { how: "error", error: new CliprpnError(code, messageOf({ code, message }, attempt)) };
}
