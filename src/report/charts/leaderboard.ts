import { percent } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import { figureOf, floorsOf, upperBounds } from "../figures.ts";
import { baseSpec, type ChartSpec, rowColumns, settingRows, toPercent, wrapLabel } from "./chart-spec.ts";

/** Acc@0.5 of each configuration: its interval as a bar, a dot per seed, a dashed line per baseline without the expression. */
export function leaderboardChart(summary: Summary): ChartSpec {
  const bounds = upperBounds(summary);
  const rowLabel = ({ label }: { label: string }): string =>
    wrapLabel(bounds.has(label) ? `upper bound: ${label}` : label, rowColumns);
  const rows = summary.settings.flatMap((setting) => {
    const figure = figureOf(setting, "acc_at_50");
    if (figure === undefined) return [];
    // A baseline runs once: its only value is its mean.
    const seeds = setting.kind === "baseline" ? [] : figure.per_seed;
    const per_seed = seeds.map(({ value }) => value * 100);
    return [{ label: rowLabel(setting), ...toPercent(figure.interval), per_seed }];
  });
  const hasDots = rows.some(({ per_seed }) => per_seed.length > 0);
  const floors = floorsOf(summary).map(({ name, title, acc_at_50 }) => ({
    name,
    floor: title,
    value: acc_at_50.mean * 100,
  }));
  const { y, height } = settingRows(rows.map(({ label }) => label));
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: {
      title: [
        `Acc@0.5 on ${summary.split} (%)`,
        `tick: mean; bar: ${percent(summary.confidence, 0)} interval${hasDots ? "; dot: one seed" : ""}`,
      ],
    },
  });
  return {
    ...baseSpec,
    width: 520,
    height,
    layer: [
      {
        data: { values: floors },
        mark: { type: "rule", strokeWidth: 1.6, color: "#555" },
        encoding: {
          x: x("value"),
          // Dashes distinguish the lines, so the chart is readable without colors.
          strokeDash: {
            field: "floor",
            type: "nominal",
            scale: {
              domain: floors.map(({ floor }) => floor),
              range: floors.map(({ name }) => dashes[name]),
            },
            legend: {
              title: ["baselines that", "ignore the expression"],
              titleLimit: 300,
              labelLimit: 300,
              symbolSize: 500,
              symbolStrokeColor: "#555",
            },
          },
        },
      },
      {
        data: { values: rows },
        mark: { type: "rule", strokeWidth: 9, color: "#9ecae1" },
        encoding: { y, x: x("low"), x2: { field: "high" } },
      },
      {
        data: { values: rows },
        mark: { type: "tick", thickness: 3, size: 20, color: "#0b3c6f", opacity: 1 },
        encoding: { y, x: x("mean") },
      },
      {
        data: { values: rows },
        transform: [{ flatten: ["per_seed"] }],
        mark: {
          type: "point",
          filled: true,
          size: 36,
          color: "#d55e00",
          opacity: 1,
          stroke: "white",
          strokeWidth: 0.8,
        },
        encoding: { y, x: x("per_seed") },
      },
    ],
  };
}

const dashes = { constant_box: [5, 3], whole_image: [1.5, 2.5], image_only: [11, 4], chance: [9, 3, 2, 3] };
