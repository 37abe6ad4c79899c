import type { Summary } from "../../contract/generated/types.ts";
import { alphaOf, comparisonsOf, confidenceOf, isSignificant, referenceOf } from "../figures.ts";
import { negated, points, signedInterval } from "../points.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { drawnLabels, settingRows, shortLabel, wrapLabel } from "./labels.ts";
import { extent, percentOf, toPercent } from "./scales.ts";
import { maxRows, noteHidden, selectShown } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/** Acc@0.5 of each configuration minus that of the reference, with intervals and a band of what is too small to matter. */
export function forestChart(summary: Summary): Chart | undefined {
  const reference = referenceOf(summary);
  const all = [...comparisonsOf(summary, reference).values()].map(({ against, difference, p_adjusted }) => ({
    label: against,
    difference: negated(difference),
    p_adjusted,
  }));
  if (all.length === 0) return undefined;
  const { smallest_difference: smallest } = summary;
  const shown = selectShown(all, summary.baseline, maxRows);
  const names = drawnLabels(shown.map(({ label }) => label));
  const rows = shown.map(({ label, difference, p_adjusted }) => ({
    label: names.get(label) ?? "",
    ...toPercent(difference),
    number: signedInterval(difference),
    fill: isSignificant({ p_adjusted }, summary) ? colors.mean : colors.background,
  }));
  const band = smallest === null ? [] : [{ low: percentOf(-smallest), high: percentOf(smallest) }];
  const ends = [...rows, ...band].flatMap(({ low, high }) => [low, high]);
  const domain = paddedDomain([0, ...ends]);
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain, nice: false },
    axis: {
      tickCount: 8,
      labelExpr: "datum.value == 0 ? '0' : format(datum.value, '+~f')",
      title: [
        ...`Acc@0.5 on ${summary.split} minus that of ${wrapLabel(reference, 60)} (percentage points)`.split(
          "\n",
        ),
        "left of 0: worse; right of 0: better",
        `point: mean, filled if p < ${alphaOf(summary)} (Holm); line: ${confidenceOf(summary)} interval`,
        ...(smallest === null ? [] : [`band: less than the ${points(smallest)} points that matter`]),
        ...noteHidden(shown, all, summary),
      ],
    },
  });
  const { y, height } = settingRows(
    rows.map(({ label }) => label),
    28,
  );
  const spec = {
    width: plotWidth,
    height,
    layer: [
      {
        data: { values: band },
        mark: { type: "rect", color: colors.band },
        encoding: { x: x("low"), x2: { field: "high" } },
      },
      {
        data: { values: [{ zero: 0 }] },
        mark: { type: "rule", color: colors.text, strokeWidth: 1.4 },
        encoding: { x: x("zero") },
      },
      {
        data: { values: rows },
        mark: { type: "rule", strokeWidth: 2.5, color: colors.mean },
        encoding: { y, x: x("low"), x2: { field: "high" } },
      },
      {
        data: { values: rows },
        mark: { type: "point", size: 80, stroke: colors.mean, strokeWidth: 2, opacity: 1 },
        encoding: { y, x: x("mean"), fill: { field: "fill", type: "nominal", scale: null } },
      },
      {
        data: { values: rows },
        mark: { type: "text", align: "left", color: colors.text },
        encoding: { y, x: { value: plotWidth + 14 }, text: { field: "number" } },
      },
    ],
  };
  const figures = all.map(({ label, difference }) => `${shortLabel(label)} ${signedInterval(difference)}`);
  const alt = `Acc@0.5 on ${summary.split} minus that of ${shortLabel(reference)}, in percentage points, with intervals: ${listed(figures)}.`;
  return { spec, alt };
}

const plotWidth = 420;

/** The range of the values with some space at both ends. */
function paddedDomain(values: readonly number[]): [low: number, high: number] {
  const [low, high] = extent(values, 0, 0);
  const space = Math.max(1, (high - low) * 0.06);
  return [low - space, high + space];
}
