import type { Summary } from "../../contract/generated/types.ts";
import { points } from "../points.ts";
import type { CompletedTrial } from "../report-input.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { shortLabel } from "./labels.ts";
import { lineLabels, plotHeight } from "./line-labels.ts";
import { lineLayers } from "./line-layers.ts";
import { percentOf } from "./scales.ts";
import { color, maxDrawn, noteHidden, selectShown, settingStyles } from "./shown-settings.ts";

/** Acc@0.5 on val after each epoch, of the best trained configurations: their mean, and the range of their seeds. */
export function curvesChart(summary: Summary, trials: readonly CompletedTrial[]): Chart | undefined {
  const means = meansByEpoch(trials);
  const all = summary.settings.filter(({ label }) => means.has(label));
  if (all.length === 0) return undefined;
  const shown = selectShown(all, summary.baseline, maxDrawn);
  const styles = settingStyles(
    summary,
    shown.map(({ label }) => label),
  );
  const values = [...styles].flatMap(([label, style]) =>
    (means.get(label) ?? []).map((each) => ({ ...style, ...each })),
  );
  const hasSeeds = values.some(({ num_seeds }) => num_seeds > 1);
  const x: ChartSpec = {
    field: "epoch",
    type: "quantitative",
    scale: { nice: false, zero: false, padding: 10 },
    axis: {
      title: [
        "epoch",
        ...(hasSeeds ? ["line: mean; band: lowest to highest seed"] : []),
        ...noteHidden(shown, all, summary),
      ],
      tickMinStep: 1,
      format: "d",
      labelFlush: false,
      grid: false,
    },
  };
  const top = Math.max(10, ...values.map(({ high }) => high));
  const domain = [0, Math.ceil(top / 10) * 10] as const;
  const y: ChartSpec = {
    field: "mean",
    type: "quantitative",
    scale: { domain },
    axis: { title: "Acc@0.5 on val (%)" },
  };
  const height = plotHeight([...styles.values()]);
  const width = 520;
  const ends = [...styles].flatMap(([label, style]) => {
    const last = means.get(label)?.at(-1);
    return last === undefined ? [] : [{ ...style, x: last.epoch, y: last.mean }];
  });
  const spec = {
    width,
    height,
    layer: [
      {
        data: { values: values.filter(({ num_seeds }) => num_seeds > 1) },
        mark: { type: "area", opacity: 0.2 },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color, detail: { field: "label" } },
      },
      ...lineLabels(ends, { width, height, domain, x, y }),
      ...lineLayers(values, x, y),
    ],
  };
  const figures = all.map(({ label }) => {
    const last = means.get(label)?.at(-1);
    const name = shortLabel(label);
    return last === undefined ? name : `${name} ${points(last.mean / 100)} after epoch ${last.epoch}`;
  });
  return { spec, alt: `Acc@0.5 on val in % after each epoch, means over seeds: ${listed(figures)}.` };
}

/** Values of the seeds after an epoch, in percent. */
interface EpochMean {
  epoch: number;
  num_seeds: number;
  mean: number;
  low: number;
  high: number;
}

/** By label, in the order of the epochs. */
function meansByEpoch(trials: readonly CompletedTrial[]): Map<string, EpochMean[]> {
  const values = new Map<string, Map<number, number[]>>();
  for (const { spec, outcome } of trials)
    for (const { epoch, val_acc_at_50 } of outcome.epochs) {
      const byEpoch = values.get(spec.label) ?? new Map<number, number[]>();
      values.set(spec.label, byEpoch);
      const seeds = byEpoch.get(epoch) ?? [];
      byEpoch.set(epoch, seeds);
      seeds.push(percentOf(val_acc_at_50));
    }
  return new Map(
    [...values].map(([label, byEpoch]) => [
      label,
      [...byEpoch]
        .sort(([a], [b]) => a - b)
        .map(([epoch, seeds]) => ({
          epoch,
          num_seeds: seeds.length,
          mean: seeds.reduce((sum, value) => sum + value, 0) / seeds.length,
          low: Math.min(...seeds),
          high: Math.max(...seeds),
        })),
    ]),
  );
}
