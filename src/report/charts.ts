import type { Summary, TrialOutcome } from "../contract/generated/types.ts";
import { percent } from "./format.ts";

/** What the learning curves are drawn from: one completed trial of one setting. */
export interface Curve {
  label: string;
  seed: number;
  outcome: Extract<TrialOutcome, { state: "completed" }>;
}

type Spec = Record<string, unknown>;

/** Acc@0.5 of each setting: the mean's interval as a bar, each seed as a dot, each floor as a dashed rule. */
export function leaderboardChart(summary: Summary): Spec {
  const order = summary.settings.map((setting) => setting.label);
  const rows = summary.settings.flatMap((setting) => {
    const figure = setting.figures.find(({ metric }) => metric === "acc_at_50");
    if (figure === undefined) return [];
    return [
      {
        label: setting.label,
        ...scaled(figure.interval),
        per_seed: figure.per_seed.map(({ value }) => value * 100),
      },
    ];
  });
  const floors = summary.floors.map((floor) => ({
    floor: floorNames[floor.name],
    value: floor.acc_at_50.mean * 100,
  }));
  const y = { field: "label", type: "nominal", sort: order, axis: { title: null, labelLimit: 320 } };
  const x = (field: string): Spec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: { title: accTitle(summary) },
  });
  return {
    ...frame,
    width: 520,
    height: { step: 34 },
    layer: [
      {
        data: { values: floors },
        mark: { type: "rule", strokeDash: [5, 4], strokeWidth: 1.4 },
        encoding: {
          x: x("value"),
          color: {
            field: "floor",
            type: "nominal",
            scale: { range: ["#8c564b", "#7f7f7f", "#bcbd22"] },
            legend: { title: "floor" },
          },
        },
      },
      {
        data: { values: rows },
        mark: { type: "rule", strokeWidth: 7, color: "#9ecae1", strokeCap: "round" },
        encoding: { y, x: x("low"), x2: { field: "high" } },
      },
      {
        data: { values: rows },
        mark: { type: "tick", thickness: 3, size: 20, color: "#08519c" },
        encoding: { y, x: x("mean") },
      },
      {
        data: { values: rows },
        transform: [{ flatten: ["per_seed"] }],
        mark: { type: "point", filled: true, size: 42, color: "#e6550d", opacity: 0.9 },
        encoding: { y, x: x("per_seed") },
      },
    ],
  };
}

/** Acc@0.5 by stratum, a group of bars a stratum, a bar a setting, with intervals. */
export function strataChart(summary: Summary): Spec | undefined {
  const order = summary.settings.map((setting) => setting.label);
  const values = summary.settings.flatMap((setting) =>
    setting.breakdowns
      .filter(({ by }) => by === "stratum")
      .map(({ group, interval }) => ({
        label: setting.label,
        group: group.replaceAll("_", " "),
        ...scaled(interval),
      })),
  );
  if (values.length === 0) return undefined;
  const x = { field: "group", type: "nominal", axis: { title: null, labelAngle: 0 } };
  const xOffset = { field: "label", sort: order };
  return {
    ...frame,
    width: 760,
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
            axis: { title: accTitle(summary) },
          },
          color: {
            field: "label",
            type: "nominal",
            sort: order,
            scale: { range: palette },
            legend: { title: null, orient: "top", columns: 3, labelLimit: 300 },
          },
        },
      },
      {
        mark: { type: "rule", color: "#333", strokeWidth: 1.2 },
        encoding: { x, xOffset, y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
      },
    ],
  };
}

/** Acc@0.5 on val after each epoch: a thin line a seed, a thick one for their mean. */
export function curvesChart(curves: Curve[]): Spec {
  const values = curves.flatMap(({ label, seed, outcome }) =>
    outcome.epochs.map(({ epoch, val_acc_at_50 }) => ({ label, seed, epoch, value: val_acc_at_50 * 100 })),
  );
  const x = { field: "epoch", type: "quantitative", axis: { title: "epoch", tickMinStep: 1, format: "d" } };
  const y = { field: "value", type: "quantitative", axis: { title: "Acc@0.5 on val, %" } };
  const color = {
    field: "label",
    type: "nominal",
    scale: { range: palette },
    legend: { title: null, orient: "right", labelLimit: 300 },
  };
  return {
    ...frame,
    width: 520,
    height: 280,
    data: { values },
    layer: [
      {
        mark: { type: "line", strokeWidth: 1, opacity: 0.35 },
        encoding: { x, y, color, detail: { field: "seed" } },
      },
      {
        mark: { type: "line", strokeWidth: 2.5, point: { size: 28 } },
        encoding: { x, y: { ...y, aggregate: "mean" }, color },
      },
    ],
  };
}

/** SVG of a vega-lite specification; the same bytes each time. */
export async function chartSvg(spec: Spec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(compile(JSON.parse(JSON.stringify(spec))).spec), {
    renderer: "none",
  });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

export const floorNames = {
  constant_box: "constant box",
  whole_picture: "whole picture",
  blank_sentence: "blank sentence",
};

const palette = ["#08519c", "#e6550d", "#31a354", "#756bb1", "#d6616b", "#8c6d31", "#17becf", "#636363"];
const frame: Spec = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  background: "white",
  padding: 10,
  config: {
    font: "DejaVu Sans, Verdana, sans-serif",
    axis: {
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: "normal",
      gridColor: "#e8e8e8",
      domainColor: "#888",
      tickColor: "#888",
    },
    legend: {
      labelFontSize: 12,
      titleFontSize: 12,
      labelColor: "#222",
      symbolOpacity: 1,
      symbolStrokeWidth: 2,
    },
    view: { stroke: null },
  },
};

function accTitle(summary: Summary): string {
  return `Acc@0.5 on ${summary.split}, % (${percent(summary.confidence, 0)} interval)`;
}

function scaled(interval: { mean: number; low: number; high: number }): {
  mean: number;
  low: number;
  high: number;
} {
  return { mean: interval.mean * 100, low: interval.low * 100, high: interval.high * 100 };
}
