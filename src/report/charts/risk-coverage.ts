import type { Summary } from "../../contract/generated/types.ts";
import { calibratedSettings } from "../figures.ts";
import { points } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { shortLabel } from "./labels.ts";
import { lineLabels, plotHeight } from "./line-labels.ts";
import { lineLayers } from "./line-layers.ts";
import { percentOf } from "./scales.ts";
import { maxDrawn, noteHidden, selectShown, settingStyles } from "./shown-settings.ts";

/** Fraction of misses among the answers with the highest scores, over their share; a line per configuration. */
export function riskCoverageChart(summary: Summary): Chart | undefined {
  const all = calibratedSettings(summary);
  if (all.length === 0) return undefined;
  const shown = selectShown(all, summary.baseline, maxDrawn);
  const styles = settingStyles(
    summary,
    shown.map(({ label }) => label),
  );
  const lines = shown.flatMap(({ label, calibration }) => {
    const style = styles.get(label);
    return style === undefined ? [] : [{ style, curve: calibration.risk_coverage }];
  });
  const values = lines.flatMap(({ style, curve }) =>
    curve.map(({ coverage, risk }) => ({ ...style, coverage: percentOf(coverage), risk: percentOf(risk) })),
  );
  const top = Math.max(10, ...values.map(({ risk }) => risk));
  const domain = [0, Math.ceil(top / 10) * 10] as const;
  const x: ChartSpec = {
    field: "coverage",
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: {
      title: [
        `coverage: the answers with the highest scores (% of ${summary.split})`,
        ...noteHidden(shown, all, summary),
      ],
      labelFlush: false,
    },
  };
  const y: ChartSpec = {
    field: "risk",
    type: "quantitative",
    scale: { domain },
    axis: { title: "risk: misses among them (%)" },
  };
  const height = plotHeight([...styles.values()]);
  const width = 520;
  const ends = lines.flatMap(({ style, curve }) => {
    const last = curve.at(-1);
    return last === undefined ? [] : [{ ...style, x: percentOf(last.coverage), y: percentOf(last.risk) }];
  });
  const spec = {
    width,
    height,
    layer: [...lineLabels(ends, { width, height, domain, x, y }), ...lineLayers(values, x, y)],
  };
  const figures = all.map(({ label, calibration: { aurc, risk_coverage } }) => {
    const half = risk_coverage.find(({ coverage }) => Math.abs(coverage - 0.5) < 1e-6);
    const risks = [risk_coverage.at(-1), half].map((at) => (at === undefined ? "–" : points(at.risk)));
    return `${shortLabel(label)} ${[...risks, points(aurc)].join(", ")}`;
  });
  return {
    spec,
    alt: `Risk over coverage on ${summary.split}; risk in % at full and at half coverage, and AURC: ${listed(figures)}.`,
  };
}
