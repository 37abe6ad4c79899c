import type { Summary } from "../../contract/generated/types.ts";
import { figureOf } from "../figures.ts";
import {
  baseSpec,
  bestSettings,
  type ChartSpec,
  maxDrawn,
  settingColor,
  toPercent,
  wrapLabel,
} from "./chart-spec.ts";

/** Acc@0.5 by subset: a group of bars per subset, a bar per configuration (the best eight), with intervals. */
export function subsetsChart(summary: Summary): ChartSpec | undefined {
  const order = bestSettings(summary);
  const values = summary.settings.slice(0, maxDrawn).flatMap((setting) =>
    setting.strata.flatMap((subset) => {
      const figure = figureOf(subset, "acc_at_50");
      const group = subset.stratum.replaceAll("_", " ");
      return figure === undefined
        ? []
        : [{ label: wrapLabel(setting.label), group, ...toPercent(figure.interval) }];
    }),
  );
  if (values.length === 0) return undefined;
  const groups = [...new Set(values.map(({ group }) => group))];
  const x = {
    field: "group",
    type: "nominal",
    sort: groups,
    axis: { title: null, labelAngle: 0, labelLimit: 150 },
  };
  const xOffset = { field: "label", sort: order };
  return {
    ...baseSpec,
    width: Math.max(360, Math.min(860, groups.length * (24 + order.length * 26))),
    height: 260,
    data: { values },
    layer: [
      {
        mark: { type: "bar" },
        encoding: {
          x,
          xOffset,
          y: {
            field: "mean",
            type: "quantitative",
            scale: { domain: [0, 100] },
            axis: { title: `Acc@0.5 on ${summary.split} (%)` },
          },
          color: settingColor(summary, order, {
            orient: "top",
            columns: order.some((label) => label.length > 20) ? 2 : 4,
          }),
        },
      },
      {
        mark: { type: "rule", color: "#222", strokeWidth: 1.2 },
        encoding: { x, xOffset, y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
      },
    ],
  };
}
