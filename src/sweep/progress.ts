import { counted, formatDuration, percent } from "../base/format.ts";
import { describeOwner, type LockOwner } from "../base/owner-lock.ts";
import type {
  Epoch,
  RunningPreparation,
  SweepEvent,
  SweepStatus,
  TrialChange,
  TrialEvent,
  TrialOutcome,
  TrialSpec,
  WorkerNow,
} from "../contract/generated/types.ts";
import type { Attempt, WorkerState } from "../engine/launcher.ts";
import { trialName } from "../report/names.ts";
import { schemaVersion } from "../store/files.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { describeLeft, type RunningShare, SweepEta } from "./eta.ts";
import { askedTrial, Leaderboard, type TrialResult } from "./results/leaderboard.ts";
import type { AttemptWatcher } from "./run/attempt-watcher.ts";
import { type ShownFailure, sweepView, type ViewSize } from "./view/sweep-view.ts";

interface Running {
  spec: TrialSpec;
  attempt: number;
  startedAt: string;
  /** Where it runs, if that is not this machine. */
  worker: string | undefined;
  /** Current phase, for people. */
  status: string;
  /** The last one that ended. */
  epoch: Epoch | null;
  /** Completed fraction of training and evaluation; features are cached after the first trial. */
  share: number;
  /** What an earlier attempt did of it. */
  skipped: number;
  workingSince: number | undefined;
}

export interface SweepProgressOptions {
  /** Of the sweep. */
  name: string;
  waiting: TrialSpec[];
  total: number;
  numSlots: number;
  json: boolean;
  /** With the trials that completed earlier; by default, there are none. */
  leaderboard?: Leaderboard;
  /** The result of a trial that another process completed. */
  resultOf?: (spec: TrialSpec) => TrialResult | undefined;
  /** Workers on other machines; undefined for those of this one. */
  workers?: () => WorkerNow[] | undefined;
  /** What is made for the trials before they run. */
  preparing?: () => RunningPreparation | undefined;
  now?: () => number;
}

/**
 * Shows a sweep's progress: one permanent line per finished trial, and a live view. Without a terminal, a line with the remaining
 * time after a while of silence.
 */
export class SweepProgress implements AttemptWatcher {
  readonly #terminal: Terminal;
  readonly #options: SweepProgressOptions;
  readonly #now: () => number;
  readonly #running = new Map<number, Running>();
  /** Ids of the trials that have not started. */
  readonly #waiting: Set<string>;
  readonly #eta: SweepEta;
  readonly #leaderboard: Leaderboard;
  /** The last ones. */
  readonly #failures: ShownFailure[] = [];
  /** Trials whose attempt is about to end as failed, and that run again. */
  readonly #again = new Set<string>();
  #done: number;
  #numFailed = 0;
  #numSlots: number;
  /** Why there are not more slots, as it was last printed. */
  #reason: string | undefined;

  constructor(terminal: Terminal, options: SweepProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#waiting = new Set(options.waiting.map(({ trial_id }) => trial_id));
    this.#eta = new SweepEta(
      options.waiting.map(({ label }) => label),
      options.numSlots,
    );
    this.#leaderboard = options.leaderboard ?? new Leaderboard(options.waiting.map(askedTrial));
    this.#done = options.total - options.waiting.length;
    this.#numSlots = options.numSlots;
  }

  started({ spec, number }: Attempt, slot: number, worker?: string): void {
    if (this.#waiting.delete(spec.trial_id)) this.#eta.started(spec.label);
    this.#running.set(slot, {
      spec,
      attempt: number,
      startedAt: new Date().toISOString(),
      worker,
      status: "starting",
      epoch: null,
      share: 0,
      skipped: 0,
      workingSince: undefined,
    });
    this.#print(spec, { state: "running", attempt: number, slot });
    this.#show();
  }

  event(_attempt: Attempt, slot: number, event: TrialEvent): void {
    const running = this.#running.get(slot);
    if (running === undefined) return;
    if (event.type === "warning") this.#terminal.warn(`${trialName(running.spec)}: ${event.message}`);
    else if (event.type === "progress") this.#follow(running, event);
    else {
      running.epoch = event.epoch;
      running.status = event.epoch === null ? "training again from the start" : describeEpoch(event.epoch);
    }
    this.#show();
  }

  finished(
    { spec, number }: Attempt,
    slot: number | undefined,
    outcome: TrialOutcome | undefined,
    duration_ms: number,
    isAccepted = true,
  ): void {
    const running = slot === undefined ? undefined : this.#running.get(slot);
    if (slot !== undefined) this.#running.delete(slot);
    const runsAgain = this.#again.delete(spec.trial_id);
    if (outcome !== undefined && !runsAgain) this.#done += 1;
    if (outcome?.state === "failed" && !runsAgain) this.#fail(spec, outcome);
    if (outcome?.state === "completed") {
      if (running?.workingSince !== undefined)
        this.#eta.finished(spec.label, this.#now() - running.workingSince, running.skipped);
    }
    const result = this.#resultThatCounts(spec, number, outcome, isAccepted);
    if (result !== undefined) this.#leaderboard.completed(spec, result);
    const position = `[${this.#done}/${this.#options.total}]`;
    const failedOn = outcome?.state === "failed" && running?.worker ? ` (on ${running.worker})` : "";
    const next = runsAgain ? "; it runs again" : isAccepted ? "" : "; another attempt was accepted before";
    this.#terminal.info(
      `${position} ${trialName(spec)}: ${describeOutcome(outcome, duration_ms)}${failedOn}${next}`,
    );
    this.#print(spec, {
      state: outcome?.state ?? "interrupted",
      duration_ms,
      attempt: number,
      ...(slot === undefined ? {} : { slot }),
      ...(result === undefined ? {} : { acc_at_50: result.acc_at_50 }),
      ...(outcome?.state === "failed" ? { error: outcome.error, runs_again: runsAgain } : {}),
    });
    this.#show();
  }

  /** Of an attempt that completed; if it was refused, of the one that was accepted. */
  #resultThatCounts(
    spec: TrialSpec,
    attempt: number,
    outcome: TrialOutcome | undefined,
    isAccepted: boolean,
  ): TrialResult | undefined {
    if (outcome?.state !== "completed") return undefined;
    if (!isAccepted) return this.#options.resultOf?.(spec);
    return { trial_id: spec.trial_id, attempt, acc_at_50: outcome.metrics.acc_at_50 };
  }

  capacity(numWorkers: number, reason: string | undefined): void {
    if (reason !== undefined && reason !== this.#reason)
      this.#terminal.info(`${counted(numWorkers, "worker")}: ${reason}`);
    this.#reason = reason;
    this.#numSlots = numWorkers;
    this.#eta.numSlots = Math.max(1, numWorkers);
    this.#show();
  }

  lostAtStart(message: string): void {
    this.#terminal.warn(`${message}; starting another worker`);
  }

  workerChanged(worker: string, state: WorkerState, reason: string | undefined): void {
    if (state === "barred" || state === "refused")
      this.#terminal.warn(`${worker} is ${state === "barred" ? "barred" : "not used"}: ${reason ?? ""}`);
    this.#show();
  }

  again(spec: TrialSpec): void {
    this.#again.add(spec.trial_id);
  }

  waiting(spec: TrialSpec, owner: LockOwner): void {
    this.#terminal.info(
      `${trialName(spec)} runs in another process: ${describeOwner(owner)}; waiting for it`,
    );
  }

  found(spec: TrialSpec): void {
    if (this.#waiting.delete(spec.trial_id)) this.#eta.started(spec.label);
    this.#done += 1;
    const result = this.#options.resultOf?.(spec);
    if (result !== undefined) this.#leaderboard.completed(spec, result);
    this.#terminal.info(`[${this.#done}/${this.#options.total}] ${trialName(spec)}: already completed`);
    this.#print(spec, {
      state: "completed",
      ...(result === undefined ? {} : { acc_at_50: result.acc_at_50 }),
    });
    this.#show();
  }

  /** Draws the view again, as times pass and intervals arrive without an event. */
  redraw(): void {
    if (this.#terminal.isTty) this.#show();
  }

  /** What the sweep is doing, for `cliprpn status`. */
  snapshot(): SweepStatus {
    const left_ms = this.#leftMs();
    const preparing = this.#options.preparing?.();
    const workers = this.#options.workers?.();
    return {
      schema_version: schemaVersion,
      at: new Date().toISOString(),
      num_trials: this.#options.total,
      num_done: this.#done,
      num_failed: this.#numFailed,
      left_ms: left_ms ?? null,
      left_range_ms: (left_ms === undefined ? undefined : this.#eta.rangeMs(left_ms)) ?? null,
      ...(preparing === undefined ? {} : { preparing }),
      num_slots: this.#numSlots,
      ...(workers === undefined ? {} : { workers }),
      ...(this.#reason === undefined ? {} : { missing_workers: this.#reason }),
      leaderboard: this.#leaderboard.soFar(),
      running: [...this.#running].map(([slot, running]) => ({
        trial_id: running.spec.trial_id,
        kind: running.spec.kind,
        label: running.spec.label,
        seed: running.spec.seed,
        attempt: running.attempt,
        slot,
        started_at: running.startedAt,
        ...(running.worker === undefined ? {} : { worker: running.worker }),
        activity: running.status,
        epoch: running.epoch,
        left_ms: this.#eta.trialLeftMs(this.#shareOf(running)) ?? null,
      })),
    };
  }

  #follow(running: Running, { phase, done, total }: Extract<TrialEvent, { type: "progress" }>): void {
    const share = done / Math.max(1, total);
    if (phase === "training" || phase === "evaluation") {
      const isTraining = phase === "training";
      const now = isTraining ? trainingShare * share : trainingShare + (1 - trainingShare) * share;
      // Out of memory, a trial continues at its last checkpoint.
      if (running.workingSince === undefined || now < running.share) {
        running.workingSince = this.#now();
        running.skipped = isTraining ? (now * Math.max(0, done - 1)) / Math.max(1, done) : 0;
      }
      running.share = now;
    }
    // The result of an epoch stays on screen until the next one.
    if (phase !== "training" || !running.status.startsWith("epoch"))
      running.status = `${phases[phase]} ${Math.round(100 * share)} %`;
  }

  #fail(spec: TrialSpec, { error }: Extract<TrialOutcome, { state: "failed" }>): void {
    this.#numFailed += 1;
    this.#failures.push({ trial: trialName(spec), error });
    if (this.#failures.length > maxFailures) this.#failures.shift();
  }

  #show(): void {
    if (this.#terminal.isTty) this.#terminal.view(this.#draw);
    else if (this.#running.size > 0) this.#terminal.live(() => this.#plainLines());
  }

  readonly #draw = (size: ViewSize): string[] =>
    sweepView(
      {
        name: this.#options.name,
        status: this.snapshot(),
        failures: this.#failures,
        num_failures: this.#numFailed,
      },
      size,
    );

  #plainLines(): string[] {
    const running = [...this.#running.values()]
      .slice(0, maxPlain)
      .map(({ spec, status }) => `  ${trialName(spec)}: ${status}`);
    const numMore = this.#running.size - running.length;
    if (numMore > 0) running.push(`  and ${numMore} more running`);
    const left_ms = this.#leftMs();
    const left_range_ms = left_ms === undefined ? null : (this.#eta.rangeMs(left_ms) ?? null);
    const left = left_ms === undefined ? "" : `, ${describeLeft({ left_ms, left_range_ms })}`;
    return [`${this.#done} of ${this.#options.total} trials done${left}`, ...running];
  }

  #leftMs(): number | undefined {
    return this.#eta.remainingMs([...this.#running.values()].map((running) => this.#shareOf(running)));
  }

  #shareOf({ spec, share, skipped, workingSince }: Running): RunningShare {
    return {
      label: spec.label,
      share,
      skipped,
      workedMs: workingSince === undefined ? 0 : this.#now() - workingSince,
    };
  }

  #print(
    { trial_id, label, seed }: TrialSpec,
    changes: Omit<TrialChange, "type" | "trial_id" | "label" | "seed">,
  ): void {
    if (!this.#options.json) return;
    const event: SweepEvent = { type: "trial", trial_id, label, seed, ...changes };
    this.#terminal.result(JSON.stringify(event));
  }
}

/** Running trials on a plain line. */
const maxPlain = 8;

/** Failures to keep for the view; the journal has all. */
const maxFailures = 10;

/** Training's share of a trial's time, measured; the rest is evaluation. */
const trainingShare = 0.95;

function describeEpoch({ epoch, num_epochs, val_acc_at_50 }: Epoch): string {
  return `epoch ${epoch}/${num_epochs}, val Acc@0.5 ${percent(val_acc_at_50)}`;
}

function describeOutcome(outcome: TrialOutcome | undefined, duration_ms: number): string {
  if (outcome === undefined) return "interrupted";
  if (outcome.state === "failed") {
    const { code, message } = outcome.error;
    return `${code === "canceled" || code === "pruned" ? "" : "FAILED  "}${code}: ${message}`;
  }
  return `Acc@0.5 on val ${percent(outcome.metrics.acc_at_50)}  (${formatDuration(duration_ms)})`;
}

/** Shows the progress of a call outside a sweep: extracting the features of a whole dataset takes minutes. */
export function liveEvent(terminal: Terminal, prefix = ""): (event: TrialEvent) => void {
  return (event) => {
    if (event.type === "warning") terminal.warn(event.message);
    if (event.type === "progress") terminal.live([`${prefix}${describePhase(event)}`]);
  };
}

/** "extracting CLIP image features 40 %". */
export function describePhase({ phase, done, total }: Extract<TrialEvent, { type: "progress" }>): string {
  return `${phases[phase]} ${Math.round((100 * done) / Math.max(1, total))} %`;
}

/** The phases of a trial, as people read them. */
const phases = {
  index: "reading the dataset",
  image_features: "CLIP image features",
  text_features: "CLIP text features",
  training: "training",
  evaluation: "evaluating",
  detector_training: "training the detector",
  detections: "detecting",
  crops: "encoding the boxes",
} as const;
