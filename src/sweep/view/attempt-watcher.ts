import type { LockOwner } from "../../base/owner-lock.ts";
import type { TrialEvent, TrialOutcome, TrialSpec } from "../../contract/generated/types.ts";
import type { Attempt, WorkerState } from "../../engine/launcher.ts";

/** Receives what happens to the attempts of a sweep, to show it. */
export interface AttemptWatcher {
  /** @param worker where it runs, if that is not this machine. */
  started(attempt: Attempt, slot: number, worker?: string): void;
  /** How many attempts can run at the same time now, where that changes, and why not more. */
  capacity?(numWorkers: number, reason: string | undefined): void;
  /** A worker on another machine joined, ended, refused to work or was barred. */
  workerChanged?(worker: string, state: WorkerState, reason: string | undefined): void;
  event(attempt: Attempt, slot: number, event: TrialEvent): void;
  /** A worker was killed before it ran a trial; another one is started. */
  lostAtStart?(message: string): void;
  /**
   * @param slot undefined if it never started.
   * @param outcome undefined if the attempt was interrupted.
   * @param isAccepted false if it completed, but another attempt of its trial was accepted first.
   */
  finished(
    attempt: Attempt,
    slot: number | undefined,
    outcome: TrialOutcome | undefined,
    duration_ms: number,
    isAccepted: boolean,
  ): void;
  /** A trial that is about to end as failed, and runs again. */
  again(spec: TrialSpec): void;
  /** A trial that another process has completed, or a worker that counted as lost. */
  found(spec: TrialSpec): void;
  /** A trial that another process runs, whose end is waited for. */
  waiting(spec: TrialSpec, owner: LockOwner): void;
}
