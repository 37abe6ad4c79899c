import type {
  RunningPreparation,
  SweepStatus,
  TrialEvent,
  TrialOutcome,
  TrialSpec,
  WorkerNow,
} from "../../contract/generated/types.ts";
import { trialName } from "../../report/names.ts";
import { schemaVersion } from "../../store/files.ts";
import { askedTrial, Leaderboard, type TrialResult } from "../results/leaderboard.ts";
import { SweepEta } from "./eta.ts";
import { RunningTrial } from "./running-trial.ts";
import type { SweepView } from "./sweep-view.ts";

export interface SweepStateOptions {
  /** Of the sweep. */
  name: string;
  waiting: TrialSpec[];
  total: number;
  numSlots: number;
  /** With the trials that completed earlier; by default, there are none. */
  leaderboard?: Leaderboard;
  /** Workers on other machines; undefined for those of this one. */
  workers?: () => WorkerNow[] | undefined;
  /** What is made for the trials before they run. */
  preparing?: () => RunningPreparation | undefined;
  now?: () => number;
}

/** What a sweep is doing: counts, running trials, remaining time, leaderboard. */
export class SweepState {
  readonly #options: SweepStateOptions;
  readonly #now: () => number;
  readonly #running = new Map<number, RunningTrial>();
  /** Ids of the trials that have not started. */
  readonly #waiting: Set<string>;
  readonly #eta: SweepEta;
  readonly #leaderboard: Leaderboard;
  /** The last ones. */
  readonly #failures: SweepView["failures"][number][] = [];
  #numDone: number;
  #numFailed = 0;
  #numSlots: number;
  /** Why there are not more slots. */
  #missing: string | undefined;

  constructor(options: SweepStateOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#waiting = new Set(options.waiting.map(({ trial_id }) => trial_id));
    this.#eta = new SweepEta(
      options.waiting.map(({ label }) => label),
      options.numSlots,
    );
    this.#leaderboard = options.leaderboard ?? new Leaderboard(options.waiting.map(askedTrial));
    this.#numDone = options.total - options.waiting.length;
    this.#numSlots = options.numSlots;
  }

  get numDone(): number {
    return this.#numDone;
  }

  /** How many trials are done: "[3/12]". */
  get position(): string {
    return `[${this.#numDone}/${this.#options.total}]`;
  }

  /** By slot. */
  get running(): ReadonlyMap<number, RunningTrial> {
    return this.#running;
  }

  started(spec: TrialSpec, attempt: number, slot: number, worker: string | undefined): void {
    this.#leaves(spec);
    this.#running.set(slot, new RunningTrial(spec, attempt, worker));
  }

  /** @returns the trial of the event; undefined if none runs in the slot. */
  event(slot: number, event: TrialEvent): RunningTrial | undefined {
    const running = this.#running.get(slot);
    if (event.type !== "warning") running?.follow(event, this.#now());
    return running;
  }

  /**
   * An attempt ended.
   *
   * @param slot undefined if it never started.
   * @returns what ran there.
   */
  ended(slot: number | undefined, outcome: TrialOutcome | undefined): RunningTrial | undefined {
    if (slot === undefined) return undefined;
    const running = this.#running.get(slot);
    this.#running.delete(slot);
    if (outcome?.state === "completed" && running?.hasWorked) {
      const { label, workedMs, skipped } = running.worked(this.#now());
      this.#eta.finished(label, workedMs, skipped);
    }
    return running;
  }

  /** A trial that does not run again, with its outcome. */
  done(spec: TrialSpec, outcome: TrialOutcome): void {
    this.#numDone += 1;
    if (outcome.state !== "failed") return;
    this.#numFailed += 1;
    this.#failures.push({ trial: trialName(spec), error: outcome.error });
    if (this.#failures.length > maxFailures) this.#failures.shift();
  }

  /** A trial that another process has completed. */
  found(spec: TrialSpec): void {
    this.#leaves(spec);
    this.#numDone += 1;
  }

  completed(spec: TrialSpec, result: TrialResult): void {
    this.#leaderboard.completed(spec, result);
  }

  /** @returns whether people have not been told the reason yet. */
  capacity(numSlots: number, missing: string | undefined): boolean {
    const isNew = missing !== undefined && missing !== this.#missing;
    this.#missing = missing;
    this.#numSlots = numSlots;
    this.#eta.numSlots = Math.max(1, numSlots);
    return isNew;
  }

  /** For `cliprpn status`. */
  snapshot(): SweepStatus {
    const now = this.#now();
    const preparing = this.#options.preparing?.();
    const workers = this.#options.workers?.();
    return {
      schema_version: schemaVersion,
      at: new Date().toISOString(),
      num_trials: this.#options.total,
      num_done: this.#numDone,
      num_failed: this.#numFailed,
      ...this.left(),
      ...(preparing === undefined ? {} : { preparing }),
      num_slots: this.#numSlots,
      ...(workers === undefined ? {} : { workers }),
      ...(this.#missing === undefined ? {} : { missing_workers: this.#missing }),
      leaderboard: this.#leaderboard.soFar(),
      running: [...this.#running].map(([slot, running]) => running.status(slot, this.#eta, now)),
    };
  }

  /** For the live view. */
  view(): SweepView {
    return {
      name: this.#options.name,
      status: this.snapshot(),
      failures: this.#failures,
      num_failures: this.#numFailed,
    };
  }

  /** The remaining time; null where it is not known. */
  left(): Pick<SweepStatus, "left_ms" | "left_range_ms"> {
    const now = this.#now();
    const left_ms = this.#eta.remainingMs([...this.#running.values()].map((running) => running.worked(now)));
    if (left_ms === undefined) return { left_ms: null, left_range_ms: null };
    return { left_ms, left_range_ms: this.#eta.rangeMs(left_ms) ?? null };
  }

  /** A trial waits no more. */
  #leaves({ trial_id, label }: TrialSpec): void {
    if (this.#waiting.delete(trial_id)) this.#eta.started(label);
  }
}

/** Failures to keep for the view; the journal has all. */
const maxFailures = 10;
