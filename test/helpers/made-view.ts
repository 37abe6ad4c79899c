import type { ConfigurationSoFar, RunningTrial, SweepStatus } from "../../src/contract/generated/types.ts";
import type { SweepView } from "../../src/sweep/view/sweep-view.ts";

export interface MadeView {
  numSlots?: number;
  /** Labels of running trials, in slots 0, 1, ...; the first is in its second epoch. */
  running?: string[];
  /** Labels of configurations with completed trials. */
  completed?: string[];
  /** Labels of trials that failed. */
  failed?: string[];
  /** Whether configurations with several seeds have confidence intervals; the last configuration is an upper bound then. */
  hasIntervals?: boolean;
}

/** A view of a sweep in the middle of its work. */
export function madeView({
  running = [],
  completed = [],
  failed = [],
  numSlots = running.length,
  hasIntervals = false,
}: MadeView = {}): SweepView {
  const rows = completed.map(madeConfiguration);
  const withIntervals = rows.map((row, index) => ({
    ...row,
    interval:
      row.num_completed < 2 ? null : { low: row.acc_at_50.mean - 0.03, high: row.acc_at_50.mean + 0.03 },
    is_upper_bound: index === rows.length - 1,
  }));
  const num_configurations = rows.length;
  const status: SweepStatus = {
    schema_version: 1,
    at: "2026-01-01T00:00:00Z",
    num_trials: 40,
    num_done: 12,
    num_failed: failed.length,
    left_ms: 725_000,
    left_range_ms: [580_000, 906_000],
    num_slots: numSlots,
    running: running.map(madeRunning),
    leaderboard: hasIntervals
      ? { num_configurations, configurations: withIntervals, confidence: 0.95 }
      : { num_configurations, configurations: rows },
  };
  const error = { code: "loss_not_finite" as const, message: "expected a finite loss, found NaN at step 3" };
  const failures = failed.map((label) => ({ trial: `${label}, seed 0`, error }));
  return { name: "made", status, failures, num_failures: failures.length };
}

function madeRunning(label: string, slot: number): RunningTrial {
  const epoch = {
    epoch: 2,
    num_epochs: 10,
    loss: 0.5126,
    loss_objectness: 0.3,
    loss_box: 0.2,
    learning_rate: 1e-3,
    val_acc_at_50: 0.531,
    val_miou: 0.4,
    duration_ms: 1000,
  };
  return {
    trial_id: slot.toString(16).padStart(16, "a"),
    kind: "cliprpn",
    label,
    seed: slot,
    attempt: 1,
    slot,
    started_at: "2026-01-01T00:00:00Z",
    activity: slot === 0 ? "epoch 2/10, val Acc@0.5 53.1 %" : "CLIP image features 40 %",
    epoch: slot === 0 ? epoch : null,
    left_ms: slot === 0 ? 182_000 : null,
  };
}

function madeConfiguration(label: string, index: number): ConfigurationSoFar {
  const mean = 0.623 - index / 1000;
  return index % 2 === 0
    ? {
        label,
        num_trials: 3,
        num_completed: 3,
        acc_at_50: { mean, min: mean - 0.011, max: mean + 0.011 },
      }
    : { label, num_trials: 3, num_completed: 1, acc_at_50: { mean, min: mean, max: mean } };
}
