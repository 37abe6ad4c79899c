import { shortLine } from "../../base/plain-text.ts";
import type { AuditSummary } from "../../contract/generated/types.ts";
import { type Chart, listed } from "../charts/chart-spec.ts";
import { settingRows } from "../charts/labels.ts";
import { noteZoom, toPercent, zoomedDomain } from "../charts/scales.ts";
import { colors, settingColors } from "../charts/theme.ts";
import { points } from "../points.ts";
import { kindTitles } from "./audit-verdict.ts";

/** Acc@0.5 for each kind of changed expressions, with intervals, and of the same expressions unchanged. */
export function kindsChart({ kinds, label }: AuditSummary): Chart {
  const titles = kinds.map(({ kind }) => kindTitles[kind]);
  const values = kinds.flatMap(({ acc_at_50 }, index) =>
    acc_at_50 === null ? [] : [{ label: titles[index], ...toPercent(acc_at_50) }],
  );
  const originals = kinds.map((kind, index) => ({ label: titles[index], ...toPercent(kind.original) }));
  const domain = zoomedDomain([...values, ...originals].flatMap(({ low, high }) => [low, high]));
  const { y, height } = settingRows(titles);
  const x = (field: string) => ({
    field,
    type: "quantitative",
    scale: { domain, zero: false },
    axis: {
      tickCount: 8,
      title: [
        `Acc@0.5 (%)${noteZoom(domain)}`,
        "point: changed, with interval; tick: the same expressions unchanged",
      ],
    },
  });
  const spec = {
    width: 460,
    height,
    layer: [
      {
        data: { values: originals },
        mark: { type: "tick", thickness: 2.5, size: 18, color: colors.muted },
        encoding: { y, x: x("mean") },
      },
      {
        data: { values },
        mark: { type: "rule", strokeWidth: 2.2, color: settingColors[0] },
        encoding: { y, x: x("low"), x2: { field: "high" } },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 60, opacity: 1, color: settingColors[0] },
        encoding: { y, x: x("mean") },
      },
    ],
  };
  const figures = kinds.map(
    ({ kind, acc_at_50, original }) =>
      `${kindTitles[kind]} ${acc_at_50 === null ? "unknown" : points(acc_at_50.mean)} against ${points(original.mean)}`,
  );
  return {
    spec,
    alt: `Acc@0.5 of ${label} in % on changed expressions, against unchanged: ${listed(figures)}.`,
  };
}

/** A heat map of words: how much the box moves if a word is dropped; undefined without examples. */
export function wordsChart({ examples, label }: AuditSummary): Chart | undefined {
  if (examples.length === 0) return undefined;
  const values = examples.flatMap(({ words }, row) =>
    words.slice(0, maxWords).map(({ word, iou }, position) => ({
      row: row + 1,
      position,
      word: shortLine(word, 12),
      change: iou === null ? null : 100 * (1 - iou),
    })),
  );
  const columns = Math.max(...values.map(({ position }) => position)) + 1;
  const x = { field: "position", type: "ordinal", axis: null };
  const y = { field: "row", type: "ordinal", axis: { title: "expression", labelAngle: 0 } };
  const spec = {
    width: columns * cellWidth,
    height: examples.length * 26,
    data: { values },
    layer: [
      {
        // Without an answer, a word has no color.
        transform: [{ filter: "datum.change !== null" }],
        mark: { type: "rect", stroke: colors.background },
        encoding: {
          x,
          y,
          color: {
            field: "change",
            type: "quantitative",
            scale: { domain: [0, 100], range: ["#f2f2f2", "#d55e00"] },
            legend: {
              title: "1 − IoU with the box of the whole expression (%)",
              orient: "bottom",
              titleLimit: 500,
              gradientLength: 300,
            },
          },
        },
      },
      { mark: { type: "text", fontSize: 10, color: "#1a1a1a" }, encoding: { x, y, text: { field: "word" } } },
    ],
  };
  const first = examples[0]?.words.toSorted((a, b) => (a.iou ?? 1) - (b.iou ?? 1))[0]?.word ?? "";
  return {
    spec,
    alt: `Words of ${examples.length} expressions by how much the box of ${label} moves without them; in the first one, most without “${first}”.`,
  };
}

const maxWords = 16;
const cellWidth = 64;
