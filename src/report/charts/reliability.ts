import type { Summary } from "../../contract/generated/types.ts";
import { type CalibratedSetting, calibratedSettings, confidenceOf } from "../figures.ts";
import { points } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { shortLabel, wrapLabel } from "./labels.ts";
import { extent, percentOf } from "./scales.ts";
import { maxDrawn, noteHidden, selectShown } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/** The fraction of hits by score, a panel per configuration: dots with intervals, and the monotone fit as a line. */
export function reliabilityChart(summary: Summary): Chart | undefined {
  const { split, baseline } = summary;
  const all = calibratedSettings(summary);
  if (all.length === 0) return undefined;
  const shown = selectShown(all, baseline, maxDrawn);
  const explained = [
    `dot: answers with similar scores, with their ${confidenceOf(summary)} interval`,
    "line: monotone fit; dashed: a score that is the probability of a hit",
    ...noteHidden(shown, all, summary),
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

function reliabilityPanel({ label, calibration }: CalibratedSetting, split: string): ChartSpec {
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
