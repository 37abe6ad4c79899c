import { CliprpnError } from "../../contract/errors.ts";
import type { EndedAttempt, ErrorCode, QueuedAttempt } from "../../contract/generated/types.ts";
import { messageOf } from "../error-message.ts";
import type { Attempt, AttemptEnd } from "../launcher.ts";
import { EventTail } from "./event-tail.ts";
import type { Pilot } from "./pilot-watch.ts";
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
  /** When its end was first seen. */
  endedAt: number | undefined;
  hasTimedOut: boolean;
}

/** An attempt as a pilot finds it. */
export function queuedAttempt(attempt: Attempt): { entry: string; queued: QueuedAttempt } {
  const { spec, number, folder, logFile, keep_models, resume_from, checkpoint_minutes, fusionFile } = attempt;
  const queued: QueuedAttempt = {
    schema_version: 1,
    attempt: number,
    log_file: logFile,
    params: {
      spec,
      folder,
      keep_models,
      resume_from: [...(resume_from ?? [])],
      checkpoint_minutes: checkpoint_minutes ?? 0,
      ...(fusionFile === undefined ? {} : { fusion_file: fusionFile }),
    },
  };
  return { entry: entryOfAttempt(attempt), queued };
}

export function entryOfAttempt({ spec, number }: Attempt): string {
  return entryOf({ trial_id: spec.trial_id, number });
}

export function followAttempt(attempt: Attempt, queue: QueueFolder): FollowedAttempt {
  const entry = entryOfAttempt(attempt);
  return {
    attempt,
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

/** What the controller is told about an end in the queue. `outcome.json` counts, even if the pilot was lost after its worker wrote it. */
export function endOfAttempt(
  { attempt, startedAt, isCanceled, hasTimedOut }: FollowedAttempt,
  end: EndedAttempt,
  { trialTimeoutMs = 0, pilotLimitMs = Number.POSITIVE_INFINITY }: AttemptTimes,
): AttemptEnd {
  const outcome = attempt.outcome();
  if (outcome !== undefined) return { how: "outcome", outcome };
  if (end.how === "error" && end.error !== null && end.error.code !== "interrupted")
    return errorEnd(end.error.code, end.error.message, attempt);
  if (hasTimedOut) {
    const message = `run_trial took longer than ${trialTimeoutMs / 1000} s and was stopped`;
    return errorEnd("timed_out", message, attempt);
  }
  if (isCanceled) return { how: "canceled" };
  // Canceled by an earlier process that ran the sweep, which did not get to record it.
  if (end.how === "preempted" || end.how === "canceled") {
    const hadTime = performance.now() - startedAt >= pilotLimitMs * hadTimeShare;
    return { how: "preempted", reason: end.reason, ...(hadTime ? { limitMs: pilotLimitMs } : {}) };
  }
  // Without its place, which the journal has: reports and archives name no machine.
  const reason = end.how === "outcome" ? "it wrote no outcome" : end.reason;
  return errorEnd("worker_died", `the worker was lost: ${reason}`, attempt);
}

function errorEnd(code: ErrorCode, message: string, attempt: Attempt): AttemptEnd {
  return { how: "error", error: new CliprpnError(code, messageOf({ code, message }, attempt)) };
}
