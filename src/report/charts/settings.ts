import { wrapText, wrapWords } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import type { Spec } from "./spec.ts";

/** As many as there are colours that everybody can tell apart. */
export const maxDrawn = 8;

// Okabe and Ito's, which colour-blind people can tell apart; its yellow darkened to show on white.
const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b3a100", "#555555"];

/** The best eight. */
export function bestSettings({ settings }: Summary): string[] {
  return settings.slice(0, maxDrawn).map(({ label }) => folded(label));
}

/** The best eight of those that learn. */
export function bestLearners({ settings }: Summary): string[] {
  const learners = settings.filter(({ kind }) => kind === "cliprpn");
  return learners.slice(0, maxDrawn).map(({ label }) => folded(label));
}

/** A long label in lines, parted at its commas first: cut off, those of a sweep would often look the same. */
export function folded(label: string, columns = 36): string {
  const parts = label.split(/(?<=,) /).flatMap((part) => wrapText(part, columns));
  return wrapWords(parts, columns).join("\n");
}

/** Of a name at the left of its row, where there is more room than in a legend. */
export const rowColumns = 42;

const inLines = { labelExpr: "split(datum.label, '\\n')", labelLimit: 600 };
const lineHeight = 14;

/** A row for each setting, its name in lines, their middle at the row's. */
export function settingRows(names: string[]): { y: Spec; height: Spec } {
  const mostLines = Math.max(...names.map((name) => name.split("\n").length));
  const labelOffset = { expr: `(1 - length(split(datum.value, '\\n'))) * ${lineHeight / 2}` };
  const axis = { title: null, labelOffset, ...inLines };
  return {
    y: { field: "label", type: "nominal", sort: names, axis },
    height: { step: Math.max(34, mostLines * lineHeight + 10) },
  };
}

/** A setting has the same colour in every chart; one that is not among the best eight takes one that is left. */
export function settingColor(summary: Summary, shown: string[], legend: Spec): Spec {
  const best = bestSettings(summary);
  const left = palette.filter((_, index) => !shown.includes(best[index] ?? ""));
  const range = shown.map((label) => palette[best.indexOf(label)] ?? left.shift());
  return {
    field: "label",
    type: "nominal",
    scale: { domain: shown, range },
    legend: { title: null, ...inLines, ...legend },
  };
}
