import type { SettingSummary, Summary } from "../../contract/generated/types.ts";
import { confidenceOf } from "../figures.ts";
import { points } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { shortLabel, wrapLabel } from "./labels.ts";
import { lineLabels, plotHeight } from "./line-labels.ts";
import { extent, percentOf } from "./scales.ts";
import { color, maxDrawn, noteHidden, selectShown, settingStyles, shape } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/** Fraction of misses among the answers with the highest scores, over their share; a line per configuration. */
export function riskCoverageChart(summary: Summary): Chart | undefined {
  const all = calibrated(summary.settings);
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
        ...noteHidden(shown, all),
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
    layer: [
      ...lineLabels(ends, { width, height, domain, x, y }),
      {
        data: { values },
        mark: { type: "line", strokeWidth: 2 },
        encoding: { x, y, color, detail: { field: "label" } },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 30, opacity: 1 },
        encoding: { x, y, color, shape },
      },
    ],
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

/** The fraction of hits by score, a panel per configuration: dots with intervals, and the monotone fit as a line. */
export function reliabilityChart(summary: Summary): Chart | undefined {
  const { settings, split, baseline } = summary;
  const all = calibrated(settings);
  if (all.length === 0) return undefined;
  const shown = selectShown(all, baseline, maxDrawn);
  const explained = [
    `dot: answers with similar scores, with their ${confidenceOf(summary)} interval`,
    "line: monotone fit; dashed: a score that is the probability of a hit",
    ...noteHidden(shown, all),
  ];
  const spec = {
    title: { text: explained, ...titleStyle, anchor: "start", offset: 14 },
    columns: Math.min(4, shown.length),
    concat: shown.map((setting) => reliabilityPanel(setting, split)),
  };
  const figures = all.map(({ label, calibration: { bins } }) => {
    const ends = [bins[0], bins.at(-1)].map((bin) => (bin === undefined ? "–" : points(bin.hits.mean)));
    return `${shortLabel(label)} ${ends.join(", ")}`;
  });
  return {
    spec,
    alt: `Hits on ${split} by score, in %, of the answers with the lowest and the highest scores: ${listed(figures)}.`,
  };
}

function reliabilityPanel({ label, calibration }: Calibrated, split: string): ChartSpec {
  const { bins, fit, expected_calibration_error } = calibration;
  const isProbability = expected_calibration_error !== null;
  const [lowest, highest] = extent(
    [...bins.map(({ mean_score }) => mean_score), ...fit.map(({ score }) => score)],
    0,
    1,
  );
  const most = Math.min(1, Math.ceil(highest * 10) / 10);
  const domain = isProbability ? [0, Math.max(0.1, most)] : [lowest, highest];
  const x: ChartSpec = {
    field: "score",
    type: "quantitative",
    scale: { domain, nice: !isProbability },
    axis: { title: "score", tickCount: 4, format: "~g", labelFlush: false },
  };
  const y = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain: [0, 100] },
    axis: { title: `hits on ${split} (%)`, tickCount: 5 },
  });
  const end = domain[1] ?? 1;
  const diagonal = {
    data: {
      values: [
        { score: 0, hits: 0 },
        { score: end, hits: percentOf(end) },
      ],
    },
    mark: { type: "line", color: colors.axis, strokeWidth: 1, strokeDash: [4, 4] },
    encoding: { x, y: y("hits") },
  };
  const intervals = bins.flatMap(({ mean_score, hits: { low, high } }) =>
    low === null || high === null ? [] : [{ score: mean_score, low: percentOf(low), high: percentOf(high) }],
  );
  return {
    title: { text: wrapLabel(label, panelColumns).split("\n"), ...titleStyle },
    width: panelSize,
    height: panelSize,
    layer: [
      ...(isProbability ? [diagonal] : []),
      {
        data: {
          values: fit.map(({ score, probability }) => ({ score, probability: percentOf(probability) })),
        },
        mark: { type: "line", color: colors.seed, strokeWidth: 2 },
        encoding: { x, y: y("probability") },
      },
      {
        data: { values: intervals },
        mark: { type: "rule", color: colors.mean, strokeWidth: 1.4 },
        encoding: { x, y: y("low"), y2: { field: "high" } },
      },
      {
        data: {
          values: bins.map(({ mean_score, hits }) => ({ score: mean_score, hits: percentOf(hits.mean) })),
        },
        mark: { type: "point", filled: true, size: 40, color: colors.mean, opacity: 1 },
        encoding: { x, y: y("hits") },
      },
    ],
  };
}

const panelSize = 150;
const panelColumns = 24;
const titleStyle = { fontSize: 12, fontWeight: "normal", color: colors.text };

type Calibrated = SettingSummary & { calibration: NonNullable<SettingSummary["calibration"]> };

function calibrated(settings: readonly SettingSummary[]): Calibrated[] {
  return settings.filter((setting): setting is Calibrated => setting.calibration !== null);
}
