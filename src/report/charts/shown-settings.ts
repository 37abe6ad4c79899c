import { count } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import { rowNoun } from "../wording.ts";
import { drawnLabels } from "./labels.ts";
import { settingColors } from "./theme.ts";

/** More rows than this are not readable; the tables have all. */
export const maxRows = 40;

/** The largest number of colors that color-blind readers can distinguish. */
export const maxDrawn = settingColors.length;

/** The best configurations, best first, and the declared baseline. */
export function selectShown<T extends { label: string }>(
  settings: readonly T[],
  baseline: string | null,
  max: number,
): T[] {
  const isBest = (index: number): boolean => index < max;
  const declared = settings.findIndex(({ label }) => label === baseline);
  const last = isBest(declared) ? max : max - 1;
  return settings.filter((_, index) => index < last || index === declared);
}

/** Lines of an axis title that say what is left out. */
export function noteHidden(
  shown: { length: number },
  all: { length: number },
  summary: Pick<Summary, "settings" | "selection" | "split">,
): string[] {
  if (shown.length === all.length) return [];
  const where = summary.selection === "this_split" ? summary.split : "val";
  return [`${shown.length} of ${count(all.length)} ${rowNoun(summary.settings)}s: the best on ${where}`];
}

/** How a chart draws a configuration. */
export interface Style {
  /** In lines. */
  label: string;
  color: string;
  shape: string;
}

/** The style of each label: a configuration has the same color in every chart; one outside the best gets an unused one. */
export function settingStyles(
  { settings }: { settings: readonly { label: string }[] },
  labels: readonly string[],
  columns = 36,
): Map<string, Style> {
  const best = settings.slice(0, maxDrawn).map(({ label }) => label);
  const unused = [...settingColors.keys()].filter((index) => !labels.includes(best[index] ?? ""));
  const names = drawnLabels(labels, columns);
  return new Map(
    labels.map((label) => {
      const position = best.indexOf(label);
      const index = position >= 0 ? position : (unused.shift() ?? 0);
      const [color = "", shape = ""] = [settingColors[index], shapes[index]];
      return [label, { label: names.get(label) ?? "", color, shape }];
    }),
  );
}

// Shapes distinguish the configurations, too, so the charts are readable without colors.
const shapes = [
  "circle",
  "square",
  "triangle-up",
  "diamond",
  "cross",
  "triangle-down",
  "triangle-right",
  "triangle-left",
];

/** Encodings of the fields of a `Style`. */
export const color = { field: "color", type: "nominal", scale: null };
export const shape = { field: "shape", type: "nominal", scale: null };
