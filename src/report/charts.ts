import type { Summary, TrialOutcome } from "../contract/generated/types.ts";
import { wrapped } from "./caption.ts";
import { figureOf } from "./figures.ts";
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
  const order = summary.settings.map(({ label }) => folded(label));
  const rows = summary.settings.flatMap((setting) => {
    const figure = figureOf(setting, "acc_at_50");
    if (figure === undefined) return [];
    const per_seed = figure.per_seed.map(({ value }) => value * 100);
    return [{ label: folded(setting.label), ...scaled(figure.interval), per_seed }];
  });
  const floors = summary.floors.map((floor) => ({
    floor: floorNames[floor.name],
    value: floor.acc_at_50.mean * 100,
  }));
  const lines = order.map((label) => label.split("\n").length);
  const labelOffset = -(Math.min(...lines) - 1) * (lineHeight / 2);
  const y = { field: "label", type: "nominal", sort: order, axis: { title: null, labelOffset, ...inLines } };
  const x = (field: string): Spec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: {
      title: [
        `Acc@0.5 on ${summary.split}, %`,
        `tick: mean; bar: ${percent(summary.confidence, 0)} interval; dot: a seed`,
      ],
    },
  });
  return {
    ...frame,
    width: 520,
    height: { step: Math.max(34, Math.max(...lines) * lineHeight + 6) },
    layer: [
      {
        data: { values: floors },
        mark: { type: "rule", strokeWidth: 1.6, color: "#555" },
        encoding: {
          x: x("value"),
          // Told apart by their dashes: readable without colours.
          strokeDash: {
            field: "floor",
            type: "nominal",
            scale: {
              domain: Object.values(floorNames),
              range: [
                [5, 3],
                [1.5, 2.5],
                [11, 4],
              ],
            },
            legend: { title: "floor", symbolSize: 500, symbolStrokeColor: "#555" },
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

/** Acc@0.5 by stratum, a group of bars a stratum, a bar a setting (the best eight), with intervals. */
export function strataChart(summary: Summary): Spec | undefined {
  const order = drawnSettings(summary);
  const values = summary.settings.slice(0, maxDrawn).flatMap((setting) =>
    setting.strata.flatMap((kind) => {
      const figure = figureOf(kind, "acc_at_50");
      const group = kind.stratum.replaceAll("_", " ");
      return figure === undefined
        ? []
        : [{ label: folded(setting.label), group, ...scaled(figure.interval) }];
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
    ...frame,
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
            axis: { title: `Acc@0.5 on ${summary.split}, %` },
          },
          color: settingColor(order, {
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

/** Acc@0.5 on val after each epoch: a thin line a seed, a thick one for their mean; the best eight settings. */
export function curvesChart(summary: Summary, curves: Curve[]): Spec {
  const order = drawnSettings(summary);
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
  const color = settingColor(order, { orient: "right" });
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

/** As many as there are colours that everybody can tell apart. */
export const maxDrawn = 8;

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

// Okabe and Ito's, which colour-blind people can tell apart; its yellow darkened to show on white.
const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b3a100", "#555555"];
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

function drawnSettings({ settings }: Summary): string[] {
  return settings.slice(0, maxDrawn).map(({ label }) => folded(label));
}

/** A long label in lines: cut off, those of a sweep would often look the same. */
function folded(label: string): string {
  return wrapped(label, 36).join("\n");
}

const lineHeight = 14;
const inLines = { labelExpr: "split(datum.label, '\\n')", labelLimit: 600 };

/** A setting has the same colour in every chart. */
function settingColor(order: string[], legend: Spec): Spec {
  return {
    field: "label",
    type: "nominal",
    scale: { domain: order, range: palette.slice(0, order.length) },
    legend: { title: null, ...inLines, ...legend },
  };
}

function scaled(interval: { mean: number; low: number; high: number }): {
  mean: number;
  low: number;
  high: number;
} {
  return { mean: interval.mean * 100, low: interval.low * 100, high: interval.high * 100 };
}
