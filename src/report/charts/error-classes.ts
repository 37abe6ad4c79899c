import { percent } from "../../base/format.ts";
import type { ErrorClassName, SettingSummary, Summary } from "../../contract/generated/types.ts";
import { points } from "../points.ts";
import { type Chart, listed } from "./chart-spec.ts";
import { drawnLabels, shortLabel } from "./labels.ts";
import { maxRows, noteHidden, selectShown } from "./shown-settings.ts";
import { stackedBars } from "./stacked-bars.ts";
import { classColors } from "./theme.ts";

/** A stacked bar per configuration: its hits, then each class of error. */
export function errorClassesChart(summary: Summary): Chart {
  const { settings, split, baseline } = summary;
  const shown = selectShown(settings, baseline, maxRows);
  const drawn = drawnLabels(shown.map(({ label }) => label));
  const parts = errorParts.filter(({ key }) => shown.some((setting) => fractionOf(setting, key) > 0));
  const bars = shown.map((setting) => ({
    label: drawn.get(setting.label) ?? "",
    parts: parts.map((part) => {
      const fraction = fractionOf(setting, part.key);
      return { part, fraction, mark: markOf(part.letter, fraction) };
    }),
  }));
  const titles = Object.fromEntries(parts.map(({ title, letter }) => [title, `${letter}: ${title}`]));
  const spec = stackedBars(bars, parts, {
    width: 560,
    axisTitle: [`referring expressions of ${split} (%)`, ...noteHidden(shown, settings, summary)],
    legend: { columns: 4, labelExpr: `${JSON.stringify(titles)}[datum.label]` },
  });
  const figures = settings.map((setting) => {
    const numbers = parts.map(({ key, title }) => `${title} ${percent(fractionOf(setting, key))}`);
    return `${shortLabel(setting.label)}: ${numbers.join(", ")}`;
  });
  return { spec, alt: `Classes of the answers on ${split}: ${listed(figures)}.` };
}

/** Fraction of the answers of a configuration with a class. */
export function fractionOf({ error_classes }: SettingSummary, name: ErrorClassName): number {
  return error_classes.find(({ error_class }) => error_class === name)?.fraction.mean ?? 0;
}

/** "I 12.3"; smaller fractions have no space for their number, or for their letter. */
function markOf(letter: string, fraction: number): string {
  if (fraction < 0.025) return "";
  return fraction < 0.09 ? letter : `${letter} ${points(fraction)}`;
}

const names: { key: ErrorClassName; title: string; letter: string }[] = [
  { key: "hit", title: "hit", letter: "H" },
  { key: "loose_box", title: "loose box", letter: "L" },
  { key: "wrong_instance", title: "wrong instance", letter: "I" },
  { key: "wrong_category", title: "wrong category", letter: "C" },
  { key: "background", title: "background", letter: "B" },
  { key: "no_answer", title: "no answer", letter: "N" },
  { key: "unknown", title: "unknown", letter: "U" },
];

/** The classes in the order of the bars. */
export const errorParts = names.map((part, index) => ({
  ...part,
  ...(classColors[index] ?? { fill: "", text: "" }),
}));
