import type { ChartSpec } from "./chart-spec.ts";
import { lineHeight } from "./labels.ts";
import { color, type Style, shape } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/** A label at the right of a plot, connected with a point in it. */
export interface LineLabel extends Style {
  x: number;
  y: number;
}

/** Height of a plot, in pixels, with enough space for the labels. */
export function plotHeight(labels: readonly Style[], least = 280): number {
  return Math.max(least, labels.reduce((sum, label) => sum + heightOf(label), 0) + 8);
}

function heightOf({ label }: Style): number {
  return label.split("\n").length * lineHeight + 6;
}

/** Where labels go: a plot with its size in pixels, the domain of its y axis, and the encodings of its axes. */
interface Plot {
  width: number;
  height: number;
  domain: readonly [low: number, high: number];
  x: ChartSpec;
  y: ChartSpec;
  /** Whether lines connect the labels with their points; otherwise only the labels' order and symbols do. */
  hasLeaders?: boolean;
}

/** Layers with the labels in one column: near their points, none on another one. */
export function lineLabels(
  labels: readonly LineLabel[],
  { width, height, domain: [low, high], x, y, hasLeaders = true }: Plot,
): ChartSpec[] {
  const toPixels = (value: number): number => ((high - value) / (high - low)) * height;
  const values = spread(labels, toPixels, height).map((placed) => ({
    ...placed,
    at: high - (placed.pixels / height) * (high - low),
    dy: ((1 - placed.label.split("\n").length) * lineHeight) / 2,
  }));
  const data = { values };
  const y_label = { ...y, field: "at" };
  const text = { type: "text", align: "left", lineBreak: "\n", lineHeight, color: colors.text };
  const leaders = {
    data,
    mark: { type: "rule", color: colors.leader, strokeWidth: 1 },
    encoding: {
      x: { ...x, field: "x" },
      x2: { value: width + 26 },
      y: { ...y, field: "y" },
      y2: { field: "at" },
    },
  };
  return [
    ...(hasLeaders ? [leaders] : []),
    {
      data,
      mark: { type: "point", filled: true, size: 60, opacity: 1 },
      encoding: { x: { value: width + 32 }, y: y_label, color, shape },
    },
    {
      data,
      mark: { ...text, dy: { expr: "datum.dy" } },
      encoding: { x: { value: width + 42 }, y: y_label, text: { field: "label" } },
    },
  ];
}

/** The vertical position of each label, from top to bottom. */
function spread(
  labels: readonly LineLabel[],
  toPixels: (value: number) => number,
  height: number,
): (LineLabel & { pixels: number })[] {
  const placed = labels
    .toSorted((a, b) => b.y - a.y)
    .map((label) => ({ ...label, pixels: toPixels(label.y), size: heightOf(label) }));
  let top = 0;
  for (const label of placed) {
    label.pixels = Math.max(label.pixels, top + label.size / 2);
    top = label.pixels + label.size / 2;
  }
  let bottom = height;
  for (const label of placed.toReversed()) {
    label.pixels = Math.min(label.pixels, bottom - label.size / 2);
    bottom = label.pixels - label.size / 2;
  }
  return placed;
}
