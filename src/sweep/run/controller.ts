import { performance } from "node:perf_hooks";
import { isInterruption } from "../../contract/errors.ts";
import type { TrialSpec, WorkerNow } from "../../contract/generated/types.ts";
import type { LaunchOptions } from "../../engine/engine.ts";
import type { Attempt, Launcher, LeftAttempt, Told } from "../../engine/launcher.ts";
import type { NewEntry } from "../../store/journal.ts";
import { defaultRetries, isKilledAtStart, type Retries } from "../failure-policy.ts";
import type { AttemptWatcher } from "../view/attempt-watcher.ts";
import { AttemptEnds, type RunningAttempt } from "./attempt-ends.ts";
import type { Claimed, TrialClaims } from "./trial-claims.ts";
import { TrialOrder } from "./trial-order.ts";
import type { TrialSource } from "./trial-source.ts";
import { type Cancellation, Verdicts } from "./verdicts.ts";
import { WorkerRecords } from "./worker-records.ts";

export interface ControllerOptions {
  source: TrialSource;
  claims: TrialClaims;
  /** The device of each slot. */
  slots: readonly string[];
  launch: (options: LaunchOptions) => Launcher;
  watcher: AttemptWatcher;
  /** Appends to the journal. */
  record: (entry: NewEntry) => void;
  retries?: Partial<Retries>;
  /** No trial starts after as many have failed; those that run are finished. */
  maxFailures?: number;
  /**
   * Makes what trials share; no trial starts before it has ended. Those that run since an earlier process ran the sweep go on.
   *
   * @param hasTrials whether a trial will start afterwards.
   * @throws what ends the sweep.
   */
  prepare?: (launcher: Launcher, hasTrials: boolean, signal: AbortSignal) => Promise<void>;
}

/**
 * Runs the trials of a source: claims each, submits an attempt when the launcher has capacity, and acts on its end. It alone retries
 * and accepts; what it decides goes to the journal, never into an attempt's folder.
 */
export class SweepController {
  readonly #options: ControllerOptions;
  readonly #retries: Retries;
  readonly #launcher: Launcher;
  readonly #told: Told[] = [];
  readonly #running = new Map<Attempt, RunningAttempt>();
  readonly #order: TrialOrder;
  readonly #verdicts: Verdicts;
  readonly #ends: AttemptEnds;
  readonly #workers: WorkerRecords;
  /** Waits for trials that other processes run; each takes a slot. */
  readonly #waits = new Set<Promise<void>>();
  /** Ends these waits, which may last for hours. */
  readonly #stopped = new AbortController();
  #isPreparing = false;
  #numSlots = 0;
  /** Workers that were killed as they started, one after the other. */
  #numKilledAtStart = 0;
  /** The first fault of the machine or the program: no trial starts after it. */
  #fault: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** Whether something happened since the last step began to wait. */
  #hasChanged = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#retries = { ...defaultRetries, ...options.retries };
    this.#order = new TrialOrder(options.source);
    this.#verdicts = new Verdicts(this.#retries);
    this.#ends = new AttemptEnds({ ...options, order: this.#order });
    this.#workers = new WorkerRecords(options.record, options.watcher);
    this.#launcher = options.launch({
      slots: options.slots,
      tell: (told) => {
        this.#told.push(told);
        this.#wakeUp();
      },
    });
  }

  /**
   * Runs every trial to an outcome; a failed one does not stop the others. Stops cleanly when the signal is aborted.
   *
   * @throws CliprpnError for faults of the machine (no worker starts, the disk is full), after the running attempts have ended.
   */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      for (const attempt of this.#running.keys()) this.#launcher.cancel(attempt);
      this.#wakeUp();
    };
    signal.addEventListener("abort", onAbort);
    try {
      await this.#guarded(this.#launcher.attach((left) => this.#takeOver(left, signal)));
      const preparing = this.#isStopping(signal) ? undefined : this.#prepare(signal);
      while (await this.#step(signal)) await this.#nextChange();
      await preparing;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#stopped.abort();
      await Promise.all(this.#waits);
      await this.#guarded(this.#launcher.close()); // A fault that came before says more.
    }
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  /** Workers on other machines; undefined for those of this one. */
  workers(): WorkerNow[] | undefined {
    return this.#launcher.workers?.();
  }

  /** Trials that have failed for good. */
  get numFailed(): number {
    return this.#ends.numFailed;
  }

  /** Whether trials did not start because enough had failed. */
  get hasGivenUp(): boolean {
    return this.#hasFailedEnough && this.#numLeft > 0;
  }

  /** Ends a trial that runs. @returns false if it does not run. */
  cancel(trial_id: string, canceled: Cancellation): boolean {
    for (const [attempt, running] of this.#running) {
      if (attempt.spec.trial_id !== trial_id) continue;
      running.canceled ??= canceled;
      this.#launcher.cancel(attempt);
      return true;
    }
    return false;
  }

  /** An attempt of an earlier process that ran the sweep; undefined if its trial need not run. */
  async #takeOver({ trial_id, number }: LeftAttempt, signal: AbortSignal): Promise<Attempt | undefined> {
    const { source, claims } = this.#options;
    const spec = source.take?.(trial_id);
    if (spec === undefined) return undefined;
    const claimed = await claims.takeOver(spec, number, signal);
    if (claimed === undefined) this.#order.runsElsewhere(spec);
    else if ("found" in claimed) this.#ends.found(spec, claimed, number);
    else {
      this.#running.set(claimed.attempt, { spec, slot: undefined, startedAt: performance.now() });
      return claimed.attempt;
    }
    return undefined;
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    this.#isPreparing = true;
    const stopped = AbortSignal.any([signal, this.#stopped.signal]);
    try {
      await this.#options.prepare?.(this.#launcher, this.#numLeft > 0, stopped);
    } catch (error) {
      // The sweep may have stopped for a reason that is known.
      if (signal.aborted || !(this.#stopped.signal.aborted && isInterruption(error, stopped)))
        this.#fault ??= { error };
    }
    this.#isPreparing = false;
    this.#wakeUp();
  }

  /** @returns false when nothing is left to do. */
  async #step(signal: AbortSignal): Promise<boolean> {
    for (let told = this.#told.shift(); told !== undefined; told = this.#told.shift())
      await this.#guarded(this.#receive(told));
    if (!this.#isStopping(signal))
      if (this.#isPreparing) this.#wantWorkers();
      else await this.#guarded(this.#fill(signal));
    if (!this.#isStopping(signal)) return this.#isBusy || this.#numLeft > 0;
    this.#stopped.abort();
    const unstarted =
      this.#told.length > 0 ? [] : [...this.#running].filter(([, { slot }]) => slot === undefined);
    for (const [attempt] of unstarted) this.#launcher.cancel(attempt); // It may wait for a worker that never comes.
    return this.#isBusy;
  }

  get #isBusy(): boolean {
    return this.#running.size > 0 || this.#isPreparing;
  }

  #isStopping(signal: AbortSignal): boolean {
    return signal.aborted || this.#fault !== undefined || this.#hasFailedEnough;
  }

  get #hasFailedEnough(): boolean {
    return this.#ends.numFailed >= (this.#options.maxFailures ?? Number.POSITIVE_INFINITY);
  }

  /** Trials that have not started, as far as known. */
  get #numLeft(): number {
    return this.#order.numLeft + this.#waits.size;
  }

  /** Starts trials while there is capacity. */
  async #fill(signal: AbortSignal): Promise<void> {
    const { claims } = this.#options;
    while (!this.#isStopping(signal) && this.#running.size + this.#waits.size < this.#numSlots) {
      const spec = this.#order.next(this.#running.size === 0);
      if (spec === undefined) break;
      const claimed = await claims.tryClaim(spec);
      if (claimed === undefined) this.#order.runsElsewhere(spec);
      else this.#begin(spec, claimed, signal);
    }
    while (!this.#isStopping(signal) && this.#running.size + this.#waits.size < this.#numSlots) {
      const spec = this.#order.nextElsewhere();
      if (spec === undefined) break;
      this.#waitFor(spec, signal);
    }
    if (!this.#isStopping(signal)) this.#wantWorkers();
  }

  #wantWorkers(): void {
    this.#launcher.want(this.#running.size + this.#numLeft);
  }

  #waitFor(spec: TrialSpec, signal: AbortSignal): void {
    const { claims, watcher } = this.#options;
    const wait = claims
      .waitForClaim(spec, this.#stopped.signal, (owner) => watcher.waiting(spec, owner))
      .then((claimed) => this.#begin(spec, claimed, signal))
      .catch((error) => {
        if (!this.#stopped.signal.aborted) this.#fault ??= { error };
      })
      .finally(() => {
        this.#waits.delete(wait);
        this.#wakeUp();
      });
    this.#waits.add(wait);
  }

  #begin(spec: TrialSpec, claimed: Claimed, signal: AbortSignal): void {
    if ("found" in claimed) this.#ends.found(spec, claimed);
    else if (!this.#isStopping(signal)) {
      this.#running.set(claimed.attempt, { spec, slot: undefined, startedAt: performance.now() });
      try {
        this.#launcher.submit(claimed.attempt);
      } catch (error) {
        this.#running.delete(claimed.attempt); // Its end would be waited for.
        throw error;
      }
    }
  }

  async #receive(told: Told): Promise<void> {
    const { watcher, source, record } = this.#options;
    if (told.type === "fault") this.#onFault(told);
    if (told.type === "capacity") this.#numSlots = told.numSlots;
    this.#workers.told(told);
    if (!("attempt" in told)) return;
    const { attempt } = told;
    const running = this.#running.get(attempt);
    if (running === undefined) return;
    if (told.type === "started") {
      this.#numKilledAtStart = 0;
      running.slot = told.slot;
      running.startedAt = performance.now();
      const { trial_id } = attempt.spec;
      record({
        type: "trial_started",
        trial_id,
        attempt: attempt.number,
        slot: told.slot,
        ...(told.worker === undefined ? {} : { worker: told.worker }),
      });
      watcher.started(attempt, told.slot, told.worker);
    } else if (told.type === "event") {
      if (running.slot !== undefined) watcher.event(attempt, running.slot, told.event);
      const reason = source.prune?.(running.spec, told.event);
      if (reason !== undefined) this.cancel(attempt.spec.trial_id, { state: "pruned", reason });
    } else {
      this.#running.delete(attempt);
      const verdict = this.#verdicts.judge(attempt, told.end, running.canceled);
      if (verdict.state === "interrupted") this.#fault ??= verdict.fault;
      await this.#ends.ended(attempt, running, verdict);
    }
  }

  /** A worker that was killed as it started is started again with the next `want`. */
  #onFault({ error, slot }: Extract<Told, { type: "fault" }>): void {
    if (!isKilledAtStart(error) || this.#numKilledAtStart >= this.#retries.worker_lost) {
      this.#fault ??= { error };
      return;
    }
    this.#numKilledAtStart += 1;
    this.#workers.lostAtStart(slot, error.message);
  }

  /** An error of the program, such as a journal that cannot be written, ends the sweep like a fault of the machine. */
  async #guarded(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#fault ??= { error };
    }
  }

  async #nextChange(): Promise<void> {
    if (this.#told.length === 0 && !this.#hasChanged)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#hasChanged = false;
    this.#wake = undefined;
  }

  #wakeUp(): void {
    this.#hasChanged = true; // Maybe before anything waits for it.
    this.#wake?.();
  }
}
