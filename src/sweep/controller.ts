import { performance } from "node:perf_hooks";
import type { LockOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type {
  ErrorCode,
  TrialEvent,
  TrialOutcome,
  TrialSpec,
  WorkerNow,
} from "../contract/generated/types.ts";
import type { LaunchOptions } from "../engine/engine.ts";
import type { Attempt, AttemptEnd, Launcher, LeftAttempt, Told, WorkerState } from "../engine/launcher.ts";
import { schemaVersion } from "../store/files.ts";
import type { NewEntry } from "../store/journal.ts";
import { defaultRetries, failureClassOf, isKilledAtStart, type Retries } from "./failure-policy.ts";
import { TimeLimits } from "./time-limits.ts";
import type { Claimed, Found, TrialClaims } from "./trial-claims.ts";
import type { TrialSource } from "./trial-source.ts";

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
}

interface Running {
  /** As the source gave it; the attempt's has the stored copy of a fusion. */
  spec: TrialSpec;
  /** Undefined before it has started. */
  slot: number | undefined;
  startedAt: number;
  /** Why the controller canceled it. */
  canceled?: { state: "pruned" | "canceled"; reason: string };
}

/** What the end of an attempt means for its trial. */
type Verdict =
  | { state: "ended"; outcome: TrialOutcome }
  | { state: "retried"; outcome: FailedOutcome; alone: boolean }
  | { state: "pruned" | "canceled"; outcome: FailedOutcome }
  | { state: "interrupted" | "preempted" };

type FailedOutcome = Extract<TrialOutcome, { state: "failed" }>;

/**
 * Runs the trials of a source: claims each, submits an attempt when the launcher has capacity, and decides what its end means. It
 * alone retries and accepts; what it decides goes to the journal, never into an attempt's folder.
 */
export class SweepController {
  readonly #options: ControllerOptions;
  readonly #retries: Retries;
  readonly #launcher: Launcher;
  readonly #told: Told[] = [];
  readonly #running = new Map<Attempt, Running>();
  /** Trials to run again, before new ones. */
  readonly #again: TrialSpec[] = [];
  /** Trials to run again when no other runs: the system killed their workers, for lack of memory as a rule. */
  readonly #againAlone: TrialSpec[] = [];
  /** Trials that other processes run come last. */
  readonly #claimedElsewhere: TrialSpec[] = [];
  /** Waits for trials that other processes run; each takes a slot. */
  readonly #waits = new Set<Promise<void>>();
  /** Ends these waits, which may last for hours. */
  readonly #stopped = new AbortController();
  readonly #numRetries = new Map<string, number>();
  readonly #limits = new TimeLimits();
  /** Attempts that ended without an outcome that counts, and when each had started: a worker that counted as lost may complete one. */
  readonly #givenUp = new Map<string, Map<number, number>>();
  #numSlots = 0;
  /** Why there are not more workers, as it was last recorded, without its numbers. */
  #missing: string | undefined;
  /** Workers that were killed as they started, one after the other. */
  #numKilledAtStart = 0;
  #numFailed = 0;
  /** The first fault of the machine or the program: no trial starts after it. */
  #fault: { error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#retries = { ...defaultRetries, ...options.retries };
    this.#launcher = options.launch({
      slots: options.slots,
      tell: (told) => {
        this.#told.push(told);
        this.#wake?.();
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
      this.#wake?.();
    };
    signal.addEventListener("abort", onAbort);
    try {
      await this.#guarded(this.#launcher.attach((left) => this.#takeOver(left, signal)));
      while (await this.#step(signal)) await this.#nextChange();
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
    return this.#numFailed;
  }

  /** Whether trials did not start because enough had failed. */
  get hasGivenUp(): boolean {
    return this.#hasFailedEnough && this.#numLeft > 0;
  }

  /** Ends a trial that runs. @returns false if it does not run. */
  cancel(trial_id: string, canceled: NonNullable<Running["canceled"]>): boolean {
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
    if (claimed === undefined) this.#claimedElsewhere.push(spec);
    else if ("found" in claimed) this.#found(spec, claimed, number);
    else {
      this.#running.set(claimed.attempt, { spec, slot: undefined, startedAt: performance.now() });
      return claimed.attempt;
    }
    return undefined;
  }

  /** @returns false when nothing is left to do. */
  async #step(signal: AbortSignal): Promise<boolean> {
    for (let told = this.#told.shift(); told !== undefined; told = this.#told.shift())
      await this.#guarded(this.#receive(told));
    if (!this.#isStopping(signal)) await this.#guarded(this.#fill(signal));
    if (!this.#isStopping(signal)) return this.#running.size > 0 || this.#numLeft > 0;
    this.#stopped.abort();
    const unstarted =
      this.#told.length > 0 ? [] : [...this.#running].filter(([, { slot }]) => slot === undefined);
    for (const [attempt] of unstarted) this.#launcher.cancel(attempt); // It may wait for a worker that never comes.
    return this.#running.size > 0;
  }

  #isStopping(signal: AbortSignal): boolean {
    return signal.aborted || this.#fault !== undefined || this.#hasFailedEnough;
  }

  get #hasFailedEnough(): boolean {
    return this.#numFailed >= (this.#options.maxFailures ?? Number.POSITIVE_INFINITY);
  }

  /** Trials that have not started, as far as known. */
  get #numLeft(): number {
    const numAlone = Math.min(1, this.#againAlone.length);
    const numElsewhere = this.#claimedElsewhere.length + this.#waits.size;
    return this.#again.length + this.#options.source.numLeft + numAlone + numElsewhere;
  }

  /** Starts trials while there is capacity. */
  async #fill(signal: AbortSignal): Promise<void> {
    const { claims } = this.#options;
    while (!this.#isStopping(signal) && this.#running.size + this.#waits.size < this.#numSlots) {
      const spec = this.#nextTrial();
      if (spec === undefined) break;
      const claimed = await claims.tryClaim(spec);
      if (claimed === undefined) this.#claimedElsewhere.push(spec);
      else this.#begin(spec, claimed, signal);
    }
    while (!this.#isStopping(signal) && this.#running.size + this.#waits.size < this.#numSlots) {
      const spec = this.#claimedElsewhere.shift();
      if (spec === undefined) break;
      this.#waitFor(spec, signal);
    }
    if (!this.#isStopping(signal)) this.#launcher.want(this.#running.size + this.#numLeft);
  }

  #nextTrial(): TrialSpec | undefined {
    const spec = this.#again.shift() ?? this.#options.source.next();
    return spec ?? (this.#running.size === 0 ? this.#againAlone.shift() : undefined);
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
        this.#wake?.();
      });
    this.#waits.add(wait);
  }

  #begin(spec: TrialSpec, claimed: Claimed, signal: AbortSignal): void {
    if ("found" in claimed) this.#found(spec, claimed);
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

  /**
   * A trial that need not run, since an attempt has completed it.
   *
   * @param left the number of an attempt that ran since an earlier process ran the sweep.
   */
  #found(spec: TrialSpec, { found, outcome }: Found, left?: number): void {
    const { source, watcher, record } = this.#options;
    const startedAt =
      this.#givenUp.get(spec.trial_id)?.get(found) ?? (found === left ? performance.now() : undefined);
    this.#givenUp.delete(spec.trial_id);
    source.ended?.(spec, outcome);
    // What another sweep completed is not in this one's journal.
    if (startedAt !== undefined && outcome?.state === "completed")
      record({
        type: "trial_finished",
        trial_id: spec.trial_id,
        attempt: found,
        sources_sha256: outcome.sources_sha256,
        state: "completed",
        duration_ms: performance.now() - startedAt,
        error: null,
        acc_at_50: outcome.metrics.acc_at_50,
      });
    watcher.found(spec);
  }

  async #receive(told: Told): Promise<void> {
    const { watcher, source, record } = this.#options;
    if (told.type === "fault") this.#onFault(told);
    if (told.type === "capacity") {
      this.#numSlots = told.numSlots;
      if (told.numWorkers !== undefined) {
        this.#recordMissing(told.numWorkers, told.reason);
        watcher.capacity?.(told.numWorkers, told.reason);
      }
    }
    if (told.type === "worker") {
      const { type: _, ...change } = told;
      record({ type: "worker_changed", ...change });
      watcher.workerChanged?.(told.worker, told.state, told.reason);
    }
    if (told.type === "renewed") record({ type: "worker_renewed", slot: told.slot, reason: told.reason });
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
    } else await this.#finish(attempt, running, told.end);
  }

  /** Numbers in the reason change all the time. */
  #recordMissing(num_workers: number, reason: string | undefined): void {
    const kind = reason?.replaceAll(/\d+/g, "#");
    if (kind === this.#missing) return;
    this.#missing = kind;
    this.#options.record({ type: "workers_missing", num_workers, reason: reason ?? null });
  }

  /** A worker that was killed as it started is started again with the next `want`. */
  #onFault({ error, slot }: Extract<Told, { type: "fault" }>): void {
    if (!isKilledAtStart(error) || this.#numKilledAtStart >= this.#retries.worker_lost) {
      this.#fault ??= { error };
      return;
    }
    this.#numKilledAtStart += 1;
    const { message } = error;
    if (slot !== undefined) this.#options.record({ type: "worker_renewed", slot, reason: message });
    this.#options.watcher.lostAtStart?.(message);
  }

  async #finish(attempt: Attempt, running: Running, end: AttemptEnd): Promise<void> {
    this.#running.delete(attempt);
    const { source, claims, watcher, record } = this.#options;
    const { spec, slot } = running;
    const duration_ms = performance.now() - running.startedAt;
    const verdict = this.#judge(attempt, running, this.#limits.check(attempt, end));
    const outcome = "outcome" in verdict ? verdict.outcome : undefined;
    const isAccepted = await claims.finished(attempt, outcome);
    if (verdict.state === "retried" || verdict.state === "preempted") this.#giveUp(attempt, running);
    if (verdict.state === "retried") {
      (verdict.alone ? this.#againAlone : this.#again).push(spec);
      watcher.again(spec);
    } else if (verdict.state === "preempted") this.#again.push(spec);
    else {
      if (verdict.state === "ended" && verdict.outcome.state === "failed") this.#numFailed += 1;
      if (verdict.state === "interrupted" && slot === undefined) this.#again.push(spec); // It is left.
      source.ended?.(spec, outcome);
    }
    // It waited in the launcher, and nothing is known about it.
    if (slot === undefined && outcome === undefined) return;
    const ended = verdict.state === "ended" ? verdict.outcome.state : verdict.state;
    record({
      type: "trial_finished",
      trial_id: spec.trial_id,
      attempt: attempt.number,
      sources_sha256: outcome?.sources_sha256 ?? spec.sources_sha256,
      state: isAccepted ? ended : "refused",
      duration_ms,
      error: outcome?.state === "failed" ? outcome.error : null,
      ...(outcome?.state === "completed" ? { acc_at_50: outcome.metrics.acc_at_50 } : {}),
    });
    watcher.finished(attempt, slot, outcome, duration_ms, isAccepted);
  }

  #giveUp({ spec, number }: Attempt, { startedAt }: Running): void {
    const { trial_id } = spec;
    this.#givenUp.set(trial_id, (this.#givenUp.get(trial_id) ?? new Map()).set(number, startedAt));
  }

  #judge({ spec }: Attempt, { canceled }: Running, end: AttemptEnd): Verdict {
    if (end.how === "canceled")
      return canceled === undefined
        ? { state: "interrupted" }
        : {
            state: canceled.state,
            outcome: failed(spec, { code: canceled.state, message: canceled.reason }),
          };
    if (end.how === "preempted") return { state: "preempted" };
    const outcome = end.how === "outcome" ? end.outcome : failed(spec, end.error);
    if (outcome.state === "completed") return { state: "ended", outcome };
    const { code, message } = outcome.error;
    const failureClass = failureClassOf(code);
    if (failureClass === "machine") {
      this.#fault ??= { error: end.how === "error" ? end.error : new CliprpnError(code, message) };
      return { state: "interrupted" };
    }
    const numRetries = this.#numRetries.get(spec.trial_id) ?? 0;
    if (numRetries >= this.#retries[failureClass]) return { state: "ended", outcome };
    this.#numRetries.set(spec.trial_id, numRetries + 1);
    return { state: "retried", outcome, alone: code === "worker_killed" };
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
    if (this.#told.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}

/** The outcome of an attempt that wrote none. */
function failed(
  { trial_id, sources_sha256 }: TrialSpec,
  { code, message }: { code: ErrorCode; message: string },
): FailedOutcome {
  return {
    schema_version: schemaVersion,
    state: "failed",
    trial_id,
    sources_sha256,
    finished_at: new Date().toISOString(),
    error: { code, message },
    traceback_file: null,
  };
}
