import { CliprpnError } from "../../contract/errors.ts";
import type { Attempt, AttemptEnd } from "../../engine/launcher.ts";

/** Finds trials that make no progress within the time limit of workers, and would run again and again. */
export class TimeLimits {
  /** Attempts in a row, by trial, that had the time of a worker and saved no checkpoint. */
  readonly #numInVain = new Map<string, number>();

  /** The end of an attempt; a time-out in place of a preemption if too many in a row got nowhere. */
  check(attempt: Attempt, end: AttemptEnd): AttemptEnd {
    const { trial_id, kind } = attempt.spec;
    if (end.how !== "preempted") return end;
    if (attempt.hasCheckpoint()) this.#numInVain.delete(trial_id);
    else if (end.limitMs !== undefined) {
      const number = (this.#numInVain.get(trial_id) ?? 0) + 1;
      this.#numInVain.set(trial_id, number);
      if (number >= maxInVain[kind])
        return { how: "error", error: timedOut(number, end.limitMs, end.reason) };
    }
    return end;
  }
}

/** A baseline has no checkpoint: detections and embeddings in the cache, which grows, are its progress. */
const maxInVain = { cliprpn: 3, baseline: 10 };

function timedOut(number: number, limitMs: number, reason: string): CliprpnError {
  const minutes = Math.round(limitMs / 6000) / 10;
  return new CliprpnError(
    "timed_out",
    `expected a checkpoint within three quarters of the time limit of a worker (${minutes} minutes), found none after ${number} attempts in a row that had as long${reason === "" ? "" : ` (the last one: ${reason})`}; allow more time (engine.slurm.timeout_min)`,
  );
}
