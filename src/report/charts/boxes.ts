import type { Summary } from "../../contract/generated/types.ts";
import { outcomesOf } from "../figures.ts";
import { points } from "../points.ts";
import { folded, rowColumns, settingRows } from "./settings.ts";
import { frame, type Spec } from "./spec.ts";

/** What becomes of a baseline's sentences: a bar a setting, of what is found, lost by the ranking and lost by the boxes. */
export function boxesChart(summary: Summary): Spec | undefined {
  const settings = summary.settings.flatMap((setting) => {
    const outcomes = outcomesOf(setting);
    return outcomes === undefined ? [] : [{ label: folded(setting.label, rowColumns), outcomes }];
  });
  if (settings.length === 0) return undefined;
  const values = settings.flatMap(({ label, outcomes }) => {
    let start = 0;
    return parts.map(({ key, words, text }) => {
      const share = outcomes[key].mean;
      const from = start * 100;
      start += share;
      const written = share < narrowest ? "" : points(share);
      return { label, part: words, from, to: start * 100, middle: from + share * 50, written, text };
    });
  });
  const { y, height } = settingRows(settings.map(({ label }) => label));
  const x = (field: string): Spec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: { title: `sentences of ${summary.split}, %` },
  });
  return {
    ...frame,
    width: 520,
    height,
    data: { values },
    layer: [
      {
        mark: { type: "bar", stroke: "#333", strokeWidth: 0.8, height: 24 },
        encoding: {
          y,
          x: x("from"),
          x2: { field: "to" },
          // Told apart by their lightness and their order: readable without colours.
          color: {
            field: "part",
            type: "nominal",
            scale: { domain: parts.map(({ words }) => words), range: parts.map(({ fill }) => fill) },
            legend: {
              title: null,
              orient: "top",
              labelLimit: 300,
              symbolType: "square",
              symbolStrokeColor: "#333",
              symbolStrokeWidth: 0.8,
              symbolSize: 160,
            },
          },
        },
      },
      {
        mark: { type: "text", fontSize: 12 },
        encoding: {
          y,
          x: x("middle"),
          text: { field: "written" },
          color: { field: "text", type: "nominal", scale: null },
        },
      },
    ],
  };
}

/** A narrower part has no room for its number. */
const narrowest = 0.05;

const parts = [
  { key: "found", words: "found", fill: "#0b3c6f", text: "white" },
  { key: "lostByRanking", words: "lost by the ranking", fill: "#9ecae1", text: "#111" },
  { key: "lostByBoxes", words: "lost by the boxes", fill: "#ffffff", text: "#111" },
] as const;
