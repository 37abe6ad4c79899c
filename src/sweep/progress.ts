import { formatDuration, percent } from "../base/format.ts";
import { describeOwner, type LockOwner } from "../base/owner-lock.ts";
import type { Epoch, SweepStatus, TrialEvent, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import type { Attempt } from "../engine/launcher.ts";
import { trialName } from "../report/names.ts";
import { schemaVersion } from "../store/files.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { AttemptWatcher } from "./controller.ts";
import { SweepEta, wholeSeconds } from "./eta.ts";

interface Running {
  spec: TrialSpec;
  attempt: number;
  startedAt: string;
  /** Current phase, for people. */
  status: string;
  /** The last one that ended. */
  epoch: Epoch | null;
  /** Completed fraction of training and evaluation; features are cached after the first trial. */
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

/** Shows a sweep's progress: one permanent line per finished trial, live lines with an ETA for running ones. */
export class SweepProgress implements AttemptWatcher {
  readonly #terminal: Terminal;
  readonly #options: SweepProgressOptions;
  readonly #now: () => number;
  readonly #running = new Map<number, Running>();
  /** Ids of the trials that have not started. */
  readonly #waiting: Set<string>;
  readonly #eta: SweepEta;
  #done: number;
  #numFailed = 0;

  constructor(terminal: Terminal, options: SweepProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#waiting = new Set(options.waiting.map(({ trial_id }) => trial_id));
    this.#eta = new SweepEta(
      options.waiting.map(({ label }) => label),
      options.numSlots,
    );
    this.#done = options.total - options.waiting.length;
  }

  started({ spec, number }: Attempt, slot: number): void {
    if (this.#waiting.delete(spec.trial_id)) this.#eta.started(spec.label);
    this.#running.set(slot, {
      spec,
      attempt: number,
      startedAt: new Date().toISOString(),
      status: "starting",
      epoch: null,
      share: 0,
      workingSince: undefined,
    });
    this.#print(spec, { state: "running" });
    this.#show();
  }

  event(_attempt: Attempt, slot: number, event: TrialEvent): void {
    const running = this.#running.get(slot);
    if (running === undefined) return;
    if (event.type === "warning") this.#terminal.warn(event.message);
    else if (event.type === "progress") this.#follow(running, event);
    else {
      const { epoch, num_epochs, val_acc_at_50 } = event.epoch;
      running.epoch = event.epoch;
      running.status = `epoch ${epoch}/${num_epochs}, val Acc@0.5 ${percent(val_acc_at_50)}`;
    }
    this.#show();
  }

  finished({ spec }: Attempt, slot: number, outcome: TrialOutcome | undefined, duration_ms: number): void {
    const since = this.#running.get(slot)?.workingSince;
    this.#running.delete(slot);
    if (outcome !== undefined) this.#done += 1;
    if (outcome?.state === "failed") this.#numFailed += 1;
    if (outcome?.state === "completed" && since !== undefined)
      this.#eta.finished(spec.label, this.#now() - since);
    const position = `[${this.#done}/${this.#options.total}]`;
    this.#terminal.info(`${position} ${trialName(spec)}: ${describeOutcome(outcome, duration_ms)}`);
    this.#print(spec, { state: outcome?.state ?? "interrupted", duration_ms });
    this.#show();
  }

  again(spec: TrialSpec): void {
    this.#done -= 1;
    this.#numFailed -= 1;
    this.#terminal.info(`${trialName(spec)}: will run again`);
  }

  waiting(spec: TrialSpec, owner: LockOwner): void {
    this.#terminal.info(
      `${trialName(spec)} runs in another process: ${describeOwner(owner)}; waiting for it`,
    );
  }

  found(spec: TrialSpec): void {
    if (this.#waiting.delete(spec.trial_id)) this.#eta.started(spec.label);
    this.#done += 1;
    this.#terminal.info(`[${this.#done}/${this.#options.total}] ${trialName(spec)}: already completed`);
    this.#print(spec, { state: "completed" });
    this.#show();
  }

  /** What the sweep is doing, for `cliprpn status`. */
  snapshot(): SweepStatus {
    return {
      schema_version: schemaVersion,
      at: new Date().toISOString(),
      num_trials: this.#options.total,
      num_done: this.#done,
      num_failed: this.#numFailed,
      left_ms: this.#leftMs() ?? null,
      running: [...this.#running].map(([slot, { spec, attempt, startedAt, status, epoch }]) => ({
        trial_id: spec.trial_id,
        kind: spec.kind,
        label: spec.label,
        seed: spec.seed,
        attempt,
        slot,
        started_at: startedAt,
        activity: status,
        epoch,
      })),
    };
  }

  #follow(running: Running, { phase, done, total }: Extract<TrialEvent, { type: "progress" }>): void {
    const share = done / Math.max(1, total);
    if (phase === "training" || phase === "evaluation") running.workingSince ??= this.#now();
    if (phase === "training") running.share = trainingShare * share;
    if (phase === "evaluation") running.share = trainingShare + (1 - trainingShare) * share;
    // The result of an epoch stays on screen until the next one.
    if (phase !== "training" || !running.status.startsWith("epoch"))
      running.status = `${phases[phase]} ${Math.round(100 * share)} %`;
  }

  #show(): void {
    const running = [...this.#running.values()].map(({ spec, status }) => `  ${trialName(spec)}: ${status}`);
    if (running.length > 0)
      this.#terminal.live([
        `${this.#done} of ${this.#options.total} trials done${this.#timeLeft()}`,
        ...running,
      ]);
  }

  #leftMs(): number | undefined {
    const now = this.#now();
    const running = [...this.#running.values()].map(({ spec, share, workingSince }) => ({
      label: spec.label,
      share,
      workedMs: workingSince === undefined ? 0 : now - workingSince,
    }));
    return this.#eta.remainingMs(running);
  }

  #timeLeft(): string {
    const left = this.#leftMs();
    return left === undefined ? "" : `, about ${wholeSeconds(left)} left`;
  }

  #print({ trial_id, label, seed }: TrialSpec, changes: object): void {
    if (this.#options.json)
      this.#terminal.result(JSON.stringify({ type: "trial", trial_id, label, seed, ...changes }));
  }
}

/** Training's share of a trial's time, measured; the rest is evaluation. */
const trainingShare = 0.95;

function describeOutcome(outcome: TrialOutcome | undefined, duration_ms: number): string {
  if (outcome === undefined) return "interrupted";
  if (outcome.state === "failed") return `FAILED  ${outcome.error.code}: ${outcome.error.message}`;
  return `Acc@0.5 on val ${percent(outcome.metrics.acc_at_50)}  (${formatDuration(duration_ms)})`;
}

/** Shows the progress of a call outside a sweep: extracting the features of a whole dataset takes minutes. */
export function liveEvent(terminal: Terminal, prefix = ""): (event: TrialEvent) => void {
  return (event) => {
    if (event.type === "warning") terminal.warn(event.message);
    if (event.type === "progress")
      terminal.live([
        `${prefix}${phases[event.phase]} ${Math.round((100 * event.done) / Math.max(1, event.total))} %`,
      ]);
  };
}

/** The phases of a trial, as people read them. */
const phases = {
  index: "reading the dataset",
  image_features: "extracting CLIP image features",
  text_features: "extracting CLIP text features",
  training: "training",
  evaluation: "evaluating",
  detector_training: "training the detector",
  detections: "detecting",
  crops: "encoding boxes with CLIP",
} as const;
