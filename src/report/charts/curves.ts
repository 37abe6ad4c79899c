import type { Summary } from "../../contract/generated/types.ts";
import type { CompletedTrial } from "../report-input.ts";
import { baseSpec, bestTrained, type ChartSpec, settingColor, wrapLabel } from "./chart-spec.ts";

/** Acc@0.5 on val after each epoch, of the best trained configurations: a thin line per seed, a thick line for their mean. */
export function curvesChart(summary: Summary, trials: CompletedTrial[]): ChartSpec | undefined {
  const order = bestTrained(summary);
  const values = trials
    .map(({ spec, outcome }) => ({ label: wrapLabel(spec.label), seed: spec.seed, epochs: outcome.epochs }))
    .filter(({ label }) => order.includes(label))
    .flatMap(({ label, seed, epochs }) =>
      epochs.map(({ epoch, val_acc_at_50 }) => ({ label, seed, epoch, value: val_acc_at_50 * 100 })),
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
    axis: { title: "Acc@0.5 on val (%)" },
  };
  const color = settingColor(summary, order, { orient: "right" });
  return {
    ...baseSpec,
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
