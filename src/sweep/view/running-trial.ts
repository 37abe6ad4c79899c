import { percent } from "../../base/format.ts";
import type { Epoch, SweepStatus, TrialEvent, TrialSpec } from "../../contract/generated/types.ts";
import type { RunningShare, SweepEta } from "./eta.ts";
import { describePhase, type PhaseProgress } from "./phases.ts";

/** How far a running trial is, by its events. */
export class RunningTrial {
  readonly spec: TrialSpec;
  readonly #attempt: number;
  readonly #startedAt = new Date().toISOString();
  /** Where it runs, if that is not this machine. */
  readonly worker: string | undefined;
  #activity = "starting";
  /** The last one that ended. */
  #epoch: Epoch | null = null;
  /** Completed fraction of training and evaluation; features are cached after the first trial. */
  #share = 0;
  /** What an earlier attempt did of it. */
  #skipped = 0;
  #workingSince: number | undefined;

  constructor(spec: TrialSpec, attempt: number, worker: string | undefined) {
    this.spec = spec;
    this.#attempt = attempt;
    this.worker = worker;
  }

  /** What it does now, for people. */
  get activity(): string {
    return this.#activity;
  }

  follow(event: Exclude<TrialEvent, { type: "warning" }>, now: number): void {
    if (event.type === "progress") this.#followPhase(event, now);
    else {
      this.#epoch = event.epoch;
      this.#activity = event.epoch === null ? "training again from the start" : describeEpoch(event.epoch);
    }
  }

  /** What this attempt did of the trial, and in which time. */
  worked(now: number): RunningShare & { skipped: number } {
    return {
      label: this.spec.label,
      share: this.#share,
      skipped: this.#skipped,
      workedMs: this.#workingSince === undefined ? 0 : now - this.#workingSince,
    };
  }

  /** Whether its first training step has begun. */
  get hasWorked(): boolean {
    return this.#workingSince !== undefined;
  }

  status(slot: number, eta: SweepEta, now: number): SweepStatus["running"][number] {
    const { trial_id, kind, label, seed } = this.spec;
    return {
      trial_id,
      kind,
      label,
      seed,
      attempt: this.#attempt,
      slot,
      started_at: this.#startedAt,
      ...(this.worker === undefined ? {} : { worker: this.worker }),
      activity: this.#activity,
      epoch: this.#epoch,
      left_ms: eta.trialLeftMs(this.worked(now)) ?? null,
    };
  }

  #followPhase(event: PhaseProgress, now: number): void {
    const { phase, done, total } = event;
    const share = done / Math.max(1, total);
    if (phase === "training" || phase === "evaluation") {
      const isTraining = phase === "training";
      const reached = isTraining ? trainingShare * share : trainingShare + (1 - trainingShare) * share;
      // Out of memory, a trial continues at its last checkpoint.
      if (this.#workingSince === undefined || reached < this.#share) {
        this.#workingSince = now;
        this.#skipped = isTraining ? (reached * Math.max(0, done - 1)) / Math.max(1, done) : 0;
      }
      this.#share = reached;
    }
    // The result of an epoch stays on screen until the next one.
    if (phase !== "training" || !this.#activity.startsWith("epoch")) this.#activity = describePhase(event);
  }
}

/** Training's share of a trial's time, measured; the rest is evaluation. */
const trainingShare = 0.95;

function describeEpoch({ epoch, num_epochs, val_acc_at_50 }: Epoch): string {
  return `epoch ${epoch}/${num_epochs}, val Acc@0.5 ${percent(val_acc_at_50)}`;
}
