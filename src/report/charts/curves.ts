import type { Summary, TrialOutcome } from "../../contract/generated/types.ts";
import { bestLearners, folded, settingColor } from "./settings.ts";
import { frame, type Spec } from "./spec.ts";

/** What the learning curves are drawn from: one completed trial of one setting. */
export interface Curve {
  label: string;
  seed: number;
  outcome: Extract<TrialOutcome, { state: "completed" }>;
}

/** Acc@0.5 on val after each epoch: a thin line a seed, a thick one for their mean; the best eight that learn. */
export function curvesChart(summary: Summary, curves: Curve[]): Spec | undefined {
  const order = bestLearners(summary);
  const values = curves
    .filter(({ label }) => order.includes(folded(label)))
    .flatMap(({ label, seed, outcome }) =>
      outcome.epochs.map(({ epoch, val_acc_at_50 }) => ({
        label: folded(label),
        seed,
        epoch,
        value: val_acc_at_50 * 100,
      })),
    );
  if (values.length === 0) return undefined;
  const x = {
    field: "epoch",
    type: "quantitative",
    scale: { nice: false, padding: 8 },
    axis: { title: "epoch", tickMinStep: 1, format: "d", labelFlush: false, grid: false },
  };
  const top = Math.max(10, ...values.map(({ value }) => value));
  const y = {
    field: "value",
    type: "quantitative",
    scale: { domain: [0, Math.ceil(top / 10) * 10] },
    axis: { title: "Acc@0.5 on val, %" },
  };
  const color = settingColor(summary, order, { orient: "right" });
  return {
    ...frame,
    width: 520,
    height: 280,
    data: { values },
    layer: [
      {
        mark: { type: "line", strokeWidth: 1, opacity: 0.45 },
        encoding: { x, y, color, detail: { field: "seed" } },
      },
      {
        mark: { type: "line", strokeWidth: 2.5, point: { size: 28 } },
        encoding: { x, y: { ...y, aggregate: "mean" }, color },
      },
    ],
  };
}
