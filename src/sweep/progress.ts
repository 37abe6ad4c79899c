import { formatDuration, percent } from "../base/format.ts";
import type { TrialEvent, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import type { TrialWatcher } from "../engine/engine.ts";
import { trialName } from "../report/report-input.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { add, remainingMs, wholeSeconds } from "./eta.ts";
import { phases } from "./live-event.ts";

interface Running {
  spec: TrialSpec;
  doing: string;
  /** Of training and evaluation, which every trial has; features are there after the first. */
  share: number;
  workingSince: number | undefined;
}

export interface SweepProgressOptions {
  waiting: TrialSpec[];
  total: number;
  numSlots: number;
  json: boolean;
  now?: () => number;
}

/** Shows a sweep's progress: a line that stays for every finished trial, live lines for running ones, with an ETA. */
export class SweepProgress implements TrialWatcher {
  readonly #terminal: Terminal;
  readonly #options: SweepProgressOptions;
  readonly #now: () => number;
  readonly #running = new Map<number, Running>();
  readonly #durations = new Map<string, number[]>();
  #waiting: TrialSpec[];
  #done: number;

  constructor(terminal: Terminal, options: SweepProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#waiting = [...options.waiting];
    this.#done = options.total - options.waiting.length;
  }

  started(spec: TrialSpec, slot: number): void {
    this.#waiting = this.#waiting.filter(({ trial_id }) => trial_id !== spec.trial_id);
    this.#running.set(slot, { spec, doing: "starting", share: 0, workingSince: undefined });
    this.#print(spec, { state: "running" });
    this.#show();
  }

  event(_spec: TrialSpec, slot: number, event: TrialEvent): void {
    const running = this.#running.get(slot);
    if (running === undefined) return;
    if (event.type === "warning") this.#terminal.warn(event.message);
    else if (event.type === "progress") this.#follow(running, event);
    else {
      const { epoch, num_epochs, val_acc_at_50 } = event.epoch;
      running.doing = `epoch ${epoch}/${num_epochs}, val Acc@0.5 ${percent(val_acc_at_50)}`;
    }
    this.#show();
  }

  finished(spec: TrialSpec, slot: number, outcome: TrialOutcome | undefined, duration_ms: number): void {
    const since = this.#running.get(slot)?.workingSince;
    this.#running.delete(slot);
    if (outcome !== undefined) this.#done += 1;
    if (outcome?.state === "completed" && since !== undefined)
      add(this.#durations, spec.label, this.#now() - since);
    const count = `[${this.#done}/${this.#options.total}]`;
    this.#terminal.info(`${count} ${trialName(spec)}: ${told(outcome, duration_ms)}`);
    this.#print(spec, { state: outcome?.state ?? "interrupted", duration_ms });
    this.#show();
  }

  #follow(running: Running, { phase, done, total }: Extract<TrialEvent, { type: "progress" }>): void {
    const share = done / Math.max(1, total);
    if (phase === "training" || phase === "evaluation") running.workingSince ??= this.#now();
    if (phase === "training") running.share = trainingShare * share;
    if (phase === "evaluation") running.share = trainingShare + (1 - trainingShare) * share;
    // Once there is an epoch's figure it stays until the next one.
    if (phase !== "training" || !running.doing.startsWith("epoch"))
      running.doing = `${phases[phase]} ${Math.round(100 * share)} %`;
  }

  #show(): void {
    const running = [...this.#running.values()].map(({ spec, doing }) => `  ${trialName(spec)}: ${doing}`);
    if (running.length > 0)
      this.#terminal.live([`${this.#done} of ${this.#options.total} trials done${this.#eta()}`, ...running]);
  }

  #eta(): string {
    const now = this.#now();
    const left = remainingMs({
      running: [...this.#running.values()].map(({ spec, share, workingSince }) => ({
        label: spec.label,
        share,
        workedMs: workingSince === undefined ? 0 : now - workingSince,
      })),
      waiting: this.#waiting.map(({ label }) => label),
      known: this.#durations,
      numSlots: this.#options.numSlots,
    });
    return left === undefined ? "" : `, about ${wholeSeconds(left)} left`;
  }

  #print({ trial_id, label, seed }: TrialSpec, news: object): void {
    if (this.#options.json)
      this.#terminal.result(JSON.stringify({ type: "trial", trial_id, label, seed, ...news }));
  }
}

/** Training's part of what every trial does; measured, the rest is evaluation. */
const trainingShare = 0.95;

function told(outcome: TrialOutcome | undefined, duration_ms: number): string {
  if (outcome === undefined) return "interrupted";
  if (outcome.state === "failed") return `FAILED  ${outcome.error.code}: ${outcome.error.message}`;
  return `Acc@0.5 on val ${percent(outcome.metrics.acc_at_50)}  (${formatDuration(duration_ms)})`;
}
