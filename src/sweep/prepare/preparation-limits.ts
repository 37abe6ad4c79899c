import { CliprpnError } from "../../contract/errors.ts";
import type { TrialEvent } from "../../contract/generated/types.ts";
import type { AttemptEnd } from "../../engine/launcher.ts";

/** Finds a preparation that gets no further within the time limit of workers, and would run again and again. */
export class PreparationLimits {
  /** What it had reached when its last event came. */
  #reached = "";
  #reachedBefore: string | undefined;
  /** Attempts in a row that had the time of a worker and got no further than the one before. */
  #numInVain = 0;

  onEvent(event: TrialEvent): void {
    if (event.type === "progress") this.#reached = `${event.phase} ${event.done}`;
  }

  /** The end of an attempt; a time-out in place of a preemption if too many in a row got nowhere. */
  check<Outcome>(end: AttemptEnd<Outcome>): AttemptEnd<Outcome> {
    if (end.how !== "preempted" || end.limitMs === undefined) return end;
    this.#numInVain = this.#reached === this.#reachedBefore ? this.#numInVain + 1 : 1;
    this.#reachedBefore = this.#reached;
    if (this.#numInVain < maxInVain) return end;
    const minutes = Math.round(end.limitMs / 6000) / 10;
    const message = `expected what trials share to be made within the time limits of ${maxInVain} workers (${minutes} minutes each), found no progress${this.#reached === "" ? "" : ` after ${this.#reached}`}; allow more time (engine.slurm.timeout_min)`;
    return { how: "error", error: new CliprpnError("timed_out", message) };
  }
}

const maxInVain = 3;
