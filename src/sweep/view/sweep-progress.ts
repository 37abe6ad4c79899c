import { counted, formatDuration, percent } from "../../base/format.ts";
import { describeOwner, type LockOwner } from "../../base/owner-lock.ts";
import type {
  SweepEvent,
  SweepStatus,
  TrialChange,
  TrialEvent,
  TrialOutcome,
  TrialSpec,
} from "../../contract/generated/types.ts";
import type { Attempt, WorkerState } from "../../engine/launcher.ts";
import { trialName } from "../../report/names.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { TrialResult } from "../results/leaderboard.ts";
import type { AttemptWatcher } from "./attempt-watcher.ts";
import { describeLeft } from "./eta.ts";
import { SweepState, type SweepStateOptions } from "./sweep-state.ts";
import { sweepView, type ViewSize } from "./sweep-view.ts";

export interface SweepProgressOptions extends SweepStateOptions {
  json: boolean;
  /** The result of a trial that another process completed. */
  resultOf?: (spec: TrialSpec) => TrialResult | undefined;
}

/**
 * Shows a sweep's progress: one permanent line per finished trial, and a live view. Without a terminal, a line with the remaining
 * time after a while of silence.
 */
export class SweepProgress implements AttemptWatcher {
  readonly #terminal: Terminal;
  readonly #options: SweepProgressOptions;
  readonly #state: SweepState;
  /** Trials whose attempt is about to end as failed, and that run again. */
  readonly #again = new Set<string>();

  constructor(terminal: Terminal, options: SweepProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#state = new SweepState(options);
  }

  started({ spec, number }: Attempt, slot: number, worker?: string): void {
    this.#state.started(spec, number, slot, worker);
    this.#print(spec, { state: "running", attempt: number, slot });
    this.#show();
  }

  event(_attempt: Attempt, slot: number, event: TrialEvent): void {
    const running = this.#state.event(slot, event);
    if (running === undefined) return;
    if (event.type === "warning") this.#terminal.warn(`${trialName(running.spec)}: ${event.message}`);
    this.#show();
  }

  finished(
    { spec, number }: Attempt,
    slot: number | undefined,
    outcome: TrialOutcome | undefined,
    duration_ms: number,
    isAccepted = true,
  ): void {
    const running = this.#state.ended(slot, outcome);
    const runsAgain = this.#again.delete(spec.trial_id);
    if (outcome !== undefined && !runsAgain) this.#state.done(spec, outcome);
    const result = this.#resultThatCounts(spec, number, outcome, isAccepted);
    if (result !== undefined) this.#state.completed(spec, result);
    const failedOn = outcome?.state === "failed" && running?.worker ? ` (on ${running.worker})` : "";
    const next = runsAgain ? "; it runs again" : isAccepted ? "" : "; another attempt was accepted before";
    this.#terminal.info(
      `${this.#state.position} ${trialName(spec)}: ${describeOutcome(outcome, duration_ms)}${failedOn}${next}`,
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
    if (this.#state.capacity(numWorkers, reason))
      this.#terminal.info(`${counted(numWorkers, "worker")}: ${reason}`);
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
    this.#state.found(spec);
    const result = this.#options.resultOf?.(spec);
    if (result !== undefined) this.#state.completed(spec, result);
    this.#terminal.info(`${this.#state.position} ${trialName(spec)}: already completed`);
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
    return this.#state.snapshot();
  }

  #show(): void {
    if (this.#terminal.isTty) this.#terminal.view(this.#draw);
    else if (this.#state.running.size > 0) this.#terminal.live(() => this.#plainLines());
  }

  readonly #draw = (size: ViewSize): string[] => sweepView(this.#state.view(), size);

  #plainLines(): string[] {
    const { running } = this.#state;
    const lines = [...running.values()]
      .slice(0, maxPlain)
      .map(({ spec, activity }) => `  ${trialName(spec)}: ${activity}`);
    if (running.size > maxPlain) lines.push(`  and ${running.size - maxPlain} more running`);
    const left = this.#state.left();
    const time = left.left_ms === null ? "" : `, ${describeLeft(left)}`;
    return [`${this.#state.numDone} of ${this.#options.total} trials done${time}`, ...lines];
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

function describeOutcome(outcome: TrialOutcome | undefined, duration_ms: number): string {
  if (outcome === undefined) return "interrupted";
  if (outcome.state === "failed") {
    const { code, message } = outcome.error;
    return `${code === "canceled" || code === "pruned" ? "" : "FAILED  "}${code}: ${message}`;
  }
  return `Acc@0.5 on val ${percent(outcome.metrics.acc_at_50)}  (${formatDuration(duration_ms)})`;
}
