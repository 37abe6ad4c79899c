import { formatDuration } from "../../base/format.ts";
import type { RunningPreparation, SweepEvent, TrialEvent } from "../../contract/generated/types.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { describePreparation, leftMs } from "../view/eta.ts";
import { describePhase } from "../view/phases.ts";
import type { PreparationEnd, PreparationWatcher } from "./prepare-features.ts";

export interface PreparationProgressOptions {
  json: boolean;
  /** The log of an attempt, for messages. */
  logFile: (attempt: number) => string;
  /** Draws the sweep's view, which has a line of `status`. */
  redraw: () => void;
  now?: () => number;
}

/** A phase of what runs, such as the extraction of image features. */
interface Phase {
  name: string;
  startedAt: number;
  /** Items that were done at its start, in an earlier attempt. */
  first: number;
}

/** Shows the attempt that makes what trials share: a line in the view, or plain lines, and a permanent line at its end. */
export class PreparationProgress implements PreparationWatcher {
  readonly #terminal: Terminal;
  readonly #options: PreparationProgressOptions;
  readonly #now: () => number;
  #status: RunningPreparation | undefined;
  #phase: Phase | undefined;

  constructor(terminal: Terminal, options: PreparationProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** What runs now; undefined before and after it. */
  get status(): RunningPreparation | undefined {
    return this.#status;
  }

  preparationWaits(attempt: number): void {
    this.#phase = undefined;
    this.#status = { ...this.#begin(attempt), activity: "waiting for a worker" };
    this.#show();
  }

  preparationStarted(attempt: number, worker?: string): void {
    this.#status = { ...this.#begin(attempt), ...(worker === undefined ? {} : { worker }) };
    this.#print({ type: "preparation", state: "running", attempt });
    this.#show();
  }

  preparationEvent(event: TrialEvent): void {
    if (event.type === "warning") this.#terminal.warn(event.message);
    if (event.type !== "progress" || this.#status === undefined) return;
    const { phase, done, total } = event;
    if (this.#phase?.name !== phase) this.#phase = { name: phase, startedAt: this.#now(), first: done };
    const { startedAt, first } = this.#phase;
    const left_ms = leftMs(this.#now() - startedAt, done - first, total - done) ?? null;
    this.#status = { ...this.#status, activity: describePhase(event), left_ms };
    this.#show();
  }

  preparationEnded(attempt: number, end: PreparationEnd | undefined): void {
    this.#status = undefined;
    if (end !== undefined) this.#tellEnd(attempt, end);
    this.#options.redraw();
  }

  #tellEnd(attempt: number, { state, duration_ms, error, outcome }: PreparationEnd): void {
    this.#print({
      type: "preparation",
      state,
      attempt,
      duration_ms,
      ...(error === null ? {} : { error }),
    });
    const parts = outcome?.parts ?? [];
    const hasMade = this.#phase !== undefined; // Otherwise all was in the cache.
    if (state === "completed" && hasMade && parts.every(({ error }) => error === null))
      this.#terminal.info(`Features are ready (${formatDuration(duration_ms)})`);
    else if (state === "retried")
      this.#terminal.warn(`Preparing features: ${error?.message}; trying again with a new worker`);
    else if (state === "failed")
      this.#terminal.info(`Preparing features failed; the log is ${this.#options.logFile(attempt)}`);
    for (const part of parts)
      if (part.error !== null)
        this.#terminal.warn(
          `Preparing ${part.make} for ${part.label}: ${part.error.code}: ${part.error.message}; its trials try again`,
        );
  }

  #begin(attempt: number): RunningPreparation {
    const started_at = new Date(this.#now()).toISOString();
    return { attempt, started_at, activity: "starting", left_ms: null };
  }

  #show(): void {
    const status = this.#status;
    if (this.#terminal.isTty) this.#options.redraw();
    else if (status !== undefined) this.#terminal.live([describePreparation(status, this.#now())]);
  }

  #print(event: SweepEvent): void {
    if (this.#options.json) this.#terminal.result(JSON.stringify(event));
  }
}
