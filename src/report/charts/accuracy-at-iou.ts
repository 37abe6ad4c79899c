import type { SettingSummary, Summary } from "../../contract/generated/types.ts";
import { points } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { shortLabel } from "./labels.ts";
import { lineLabels, plotHeight } from "./line-labels.ts";
import { lineLayers } from "./line-layers.ts";
import { percentOf } from "./scales.ts";
import { maxDrawn, noteHidden, selectShown, settingStyles } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/** Acc@t over the IoU threshold t, a line per configuration that is not an upper bound. */
export function accuracyAtIouChart(summary: Summary): Chart | undefined {
  const all = summary.settings.filter(({ is_upper_bound }) => !is_upper_bound);
  if (all.length === 0) return undefined;
  const shown = selectShown(all, summary.baseline, maxDrawn);
  const styles = settingStyles(
    summary,
    shown.map(({ label }) => label),
  );
  const lines = shown.flatMap(({ label, accuracy_at_iou }) => {
    const style = styles.get(label);
    return style === undefined ? [] : [{ style, accuracy_at_iou }];
  });
  const values = lines.flatMap(({ style, accuracy_at_iou }) =>
    accuracy_at_iou.map(({ iou, value }) => ({ ...style, iou, value: percentOf(value) })),
  );
  const domain = [0, 100] as const;
  const x: ChartSpec = {
    field: "iou",
    type: "quantitative",
    scale: { domain: [0, 1] },
    axis: {
      title: [
        "IoU threshold t; dashed: the main metric, whose order the labels have",
        ...noteHidden(shown, all, summary),
      ],
      values: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
      format: ".1f",
      labelFlush: false,
    },
  };
  const y: ChartSpec = {
    field: "value",
    type: "quantitative",
    scale: { domain },
    axis: { title: `Acc@t on ${summary.split} (%)` },
  };
  const height = plotHeight([...styles.values()]);
  const width = 520;
  const labels = lines.flatMap(({ style, accuracy_at_iou }) => {
    // All lines end near 0, so the labels are in the order of the main metric.
    const main = accuracy_at_iou.find(isAt(0.5));
    return main === undefined ? [] : [{ ...style, x: main.iou, y: percentOf(main.value) }];
  });
  const spec = {
    width,
    height,
    layer: [
      {
        data: { values: [{ iou: 0.5 }] },
        mark: { type: "rule", color: colors.axis, strokeDash: [4, 3] },
        encoding: { x },
      },
      ...lineLabels(labels, { width, height, domain, x, y, hasLeaders: false }),
      ...lineLayers(values, x, y),
    ],
  };
  return { spec, alt: describe(all, summary.split) };
}

function isAt(threshold: number): (point: { iou: number }) => boolean {
  return ({ iou }) => Math.abs(iou - threshold) < 1e-6;
}

function describe(settings: readonly SettingSummary[], split: string): string {
  const figures = settings.map(({ label, accuracy_at_iou }) => {
    const at = (threshold: number): string => {
      const found = accuracy_at_iou.find(isAt(threshold));
      return found === undefined ? "–" : points(found.value);
    };
    return `${shortLabel(label)} ${[0.25, 0.5, 0.75, 0.9].map(at).join(", ")}`;
  });
  return `Acc@t on ${split} in % over the IoU threshold t; at 0.25, 0.5, 0.75 and 0.9: ${listed(figures)}.`;
}
