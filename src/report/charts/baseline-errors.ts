import { percent } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import { errorFractions } from "../figures.ts";
import { points } from "../points.ts";
import { type Chart, listed } from "./chart-spec.ts";
import { drawnLabels, shortLabel } from "./labels.ts";
import { maxRows, noteHidden, selectShown } from "./shown-settings.ts";
import { stackedBars } from "./stacked-bars.ts";
import { partColors } from "./theme.ts";

/** A stacked bar per baseline: correct predictions, ranking errors and detection errors. */
export function errorsChart(summary: Summary): Chart | undefined {
  const all = summary.settings.flatMap((setting) => {
    const fractions = errorFractions(setting);
    return fractions === undefined ? [] : [{ label: setting.label, fractions }];
  });
  if (all.length === 0) return undefined;
  const baselines = selectShown(all, summary.baseline, maxRows);
  const names = drawnLabels(baselines.map(({ label }) => label));
  const bars = baselines.map(({ label, fractions }) => ({
    label: names.get(label) ?? "",
    parts: parts.map((part) => {
      const fraction = fractions[part.key].mean;
      // A smaller fraction has no space for its number.
      return { part, fraction, mark: fraction < 0.05 ? "" : points(fraction) };
    }),
  }));
  const spec = stackedBars(bars, parts, {
    width: 520,
    axisTitle: [`referring expressions of ${summary.split} (%)`, ...noteHidden(baselines, all, summary)],
  });
  const figures = all.map(({ label, fractions }) => {
    const numbers = parts.map(({ key, title }) => `${title} ${percent(fractions[key].mean)}`);
    return `${shortLabel(label)}: ${numbers.join(", ")}`;
  });
  return { spec, alt: `Errors of each baseline on ${summary.split}: ${listed(figures)}.` };
}

const titles = [
  { key: "correct", title: "correct" },
  { key: "rankingErrors", title: "ranking error" },
  { key: "detectionErrors", title: "detection error" },
] as const;

const parts = titles.map((part, index) => ({ ...part, ...(partColors[index] ?? { fill: "", text: "" }) }));
