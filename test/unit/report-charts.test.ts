import { expect, test } from "vitest";
import type { Summary } from "../../src/contract/generated/types.ts";
import { accuracyAtIouChart } from "../../src/report/charts/accuracy-at-iou.ts";
import { errorsChart } from "../../src/report/charts/baseline-errors.ts";
import { curvesChart } from "../../src/report/charts/curves.ts";
import { forestChart } from "../../src/report/charts/forest.ts";
import { leaderboardChart } from "../../src/report/charts/leaderboard.ts";
import { paretoChart } from "../../src/report/charts/pareto.ts";
import { renderSvg } from "../../src/report/charts/render-svg.ts";
import { maxDrawn, maxRows } from "../../src/report/charts/shown-settings.ts";
import { subsetDifferencesChart } from "../../src/report/charts/subset-differences.ts";
import { completedTrials, type ReportInput } from "../../src/report/report-input.ts";
import { axisTitle, domainOf, encodingOf, marksOf, textsOf } from "../helpers/chart-marks.ts";
import { type MadeSetting, madeInput, madeSummary } from "../helpers/report-input.ts";

const settings = (count: number): MadeSetting[] =>
  Array.from({ length: count }, (_, index) => ({
    label: `my_fusion.py:MyFusion sharpness=${index} text=words interaction=additive`,
    acc: [0.6 - index * 0.0017, 0.61 - index * 0.0017],
  }));

const token: MadeSetting = { label: "token", acc: [0.7, 0.72, 0.7] };
const film: MadeSetting = { label: "film", acc: [0.6, 0.6, 0.63] };
const yolo: MadeSetting = { label: "YOLO n, crop", acc: [0.5], baseline: { best_box: 0.96 } };
const annotated: MadeSetting = {
  label: "gt boxes, crop",
  acc: [0.9],
  baseline: { best_box: 1, detector: { kind: "gt_boxes" } },
};

const curves = ({ summary, trials }: ReportInput): ReturnType<typeof curvesChart> =>
  curvesChart(summary, completedTrials(trials));

/** Input whose trials train as long as their configuration is listed for, in seconds. */
function timedInput(made: MadeSetting[], seconds: Record<string, number>): ReportInput {
  const input = madeInput(made);
  for (const { spec, outcome } of input.trials)
    if (outcome?.state === "completed")
      outcome.durations_ms.training = (seconds[spec.label] ?? 0) * 1000 + (spec.seed - 1) * 100;
  return input;
}

test("the leaderboard is zoomed to all intervals and seeds, and says so", () => {
  const chart = leaderboardChart(madeSummary([token, film]));
  const [low, high] = domainOf(chart, "x");
  const values = marksOf(chart, "rule").flatMap((rows) =>
    rows.flatMap((row) => [row.low, row.high]),
  ) as number[];
  expect(Math.min(...values)).toBeCloseTo(59);
  expect(low).toBeGreaterThan(40);
  expect(low).toBeLessThanOrEqual(Math.min(...values));
  expect(high).toBeGreaterThanOrEqual(Math.max(...values));
  expect(axisTitle(chart, "x")).toContain(`axis from ${low} to ${high} and not from 0`);
  const wide = leaderboardChart(madeSummary([token, { label: "film", acc: [0.1, 0.1] }]));
  expect(domainOf(wide, "x")[0]).toBe(0);
  expect(axisTitle(wide, "x")).not.toContain("not from 0");
});

test("equal seeds of a configuration are dots at different heights; a baseline has none", () => {
  const chart = leaderboardChart(madeSummary([token, film, yolo]));
  const [dots = []] = marksOf(chart, "point");
  expect(dots.filter(({ label }) => label === "token").map(({ value }) => value)).toEqual([70, 72, 70]);
  for (const label of ["token", "film"]) {
    // In pixels; a dot has a diameter of 6.8.
    expect(dots.filter((dot) => dot.label === label).map(({ offset }) => offset)).toEqual([-7, 0, 7]);
  }
  expect(dots).toHaveLength(6);
});

test("a floor on the axis is a line, another one is named with its value", () => {
  const summary = madeSummary([token, film], { chance_acc_at_50: 0.62 });
  const chart = leaderboardChart(summary);
  expect(marksOf(chart, "rule")[0]).toEqual([{ title: "same-category chance", value: 62 }]);
  expect(axisTitle(chart, "x").replaceAll("\n", " ")).toContain("constant box 2.0, whole image 4.0");
  expect(axisTitle(chart, "x")).not.toContain("chance");
});

test("the differences are each configuration minus the best, filled where significant", () => {
  const near = { label: "near", acc: [0.7, 0.7, 0.7] };
  const chart = forestChart(madeSummary([token, near, film, annotated]));
  const [points = []] = marksOf(chart, "point");
  expect(points.map(({ label, mean, low, high }) => [label, mean, low, high])).toEqual([
    ["near", expect.closeTo(-0.667, 2), expect.closeTo(-2.667, 2), expect.closeTo(1.333, 2)],
    ["film", expect.closeTo(-9.667, 2), expect.closeTo(-11.667, 2), expect.closeTo(-7.667, 2)],
  ]);
  expect(points[0]?.fill).not.toBe(points[1]?.fill);
  const [low, high] = domainOf(chart, "x");
  expect(low).toBeLessThan(-11.667);
  expect(high).toBeGreaterThan(1.333);
  expect(axisTitle(chart, "x")).toContain("minus that of token (percentage points)");
  expect(chart?.alt).toContain("film −9.7 (−11.7\u00a0to\u00a0−7.7)");
  expect(forestChart(madeSummary([token]))).toBeUndefined();
});

test("the differences are to the declared baseline, with a band of what is too small to matter", () => {
  const made = madeSummary([token, film], { baseline: "film", smallest_difference: 0.02 });
  const difference = { mean: -0.096, low: -0.116, high: -0.076 };
  const reverse = made.comparisons.map((each) => ({ ...each, label: "film", against: "token", difference }));
  const chart = forestChart({ ...made, comparisons: [...made.comparisons, ...reverse] });
  expect(marksOf(chart, "point")[0]).toEqual([expect.objectContaining({ label: "token", mean: 9.6 })]);
  expect(marksOf(chart, "rect")[0]).toEqual([{ low: -2, high: 2 }]);
  expect(axisTitle(chart, "x")).toContain("less than the 2.0 points that matter");
  expect(marksOf(forestChart(madeSummary([token, film])), "rect")[0]).toEqual([]);
});

test("the table of subsets has the reference, chance and the differences, significant ones marked", () => {
  const near = { label: "near", acc: [0.7, 0.7, 0.7] };
  const summary = madeSummary([token, near, film]);
  const chart = subsetDifferencesChart(summary);
  const numbers = (label: string): unknown[] =>
    marksOf(chart, "text").flatMap((rows) =>
      rows.filter((row) => row.label === label).map((row) => row.number),
    );
  expect(numbers("token: Acc@0.5 in %")).toEqual(["70.7", "70.7", "70.7", "70.7"]);
  expect(numbers("same-category chance in %")).toEqual(["40.0", "40.0", "40.0", "40.0"]);
  expect(numbers("near")).toEqual(["−0.7", "−0.7", "−0.7", "−0.7"]);
  expect(numbers("film")).toEqual(["−9.7*", "−9.7*", "−9.7*", "−9.7*"]);
  expect(encodingOf(chart, "y").scale).toEqual({
    domain: ["token: Acc@0.5 in %", "same-category chance in %", "near", "film"],
  });
  expect(chart?.alt).toContain("better: none. Significantly worse: film in attribute −9.7");
  expect(chart?.alt).toContain("film in expressions of 5 or fewer words −9.7");
  const few = summary.subset_comparisons.filter(({ group }) => group !== "two_hop");
  const without = subsetDifferencesChart({ ...summary, subset_comparisons: few });
  expect(marksOf(without, "rect")[0]).toHaveLength(3 * 4); // A column less.
  expect(subsetDifferencesChart({ ...summary, subset_comparisons: [] })).toBeUndefined();
});

test("colors of differences are centered on 0 and equal for equal amounts", () => {
  const fills = (changes: number[]): unknown[] => {
    const summary = madeSummary([token, film]);
    const subset_comparisons = summary.subset_comparisons.map((each, index) => ({
      ...each,
      difference: { mean: changes[index] ?? 0, low: -1, high: 1 },
    }));
    const cells = marksOf(subsetDifferencesChart({ ...summary, subset_comparisons }), "rect")[0] ?? [];
    return cells.filter(({ label }) => label === "film").map(({ fill }) => fill);
  };
  const [better, worse, none, alsoBetter] = fills([-0.2, 0.2, 0, -0.2]);
  expect(better).toBe(alsoBetter);
  expect(new Set([better, worse, none]).size).toBe(3);
  expect(fills([0.2, 0, 0, 0.01])[0]).toBe(worse); // The scale does not depend on what else there is.
});

test("Acc@t has a point per threshold and a line per configuration that is no upper bound", () => {
  const chart = accuracyAtIouChart(madeSummary([token, film, annotated]));
  const [line = []] = marksOf(chart, "line");
  expect(line).toHaveLength(2 * 19);
  expect(line.find(({ label, iou }) => label === "film" && iou === 0.5)?.value).toBeCloseTo(61);
  expect(domainOf(chart, "y")).toEqual([0, 100]);
  expect(chart?.alt).toContain("film 76.3, 61.0, 45.8, 36.6");
});

test("the curves have the mean of the seeds and their range at whole epochs", () => {
  const chart = curves(madeInput([token, film]));
  const last = marksOf(chart, "area")[0]?.filter(({ epoch }) => epoch === 3);
  expect(last).toEqual([
    expect.objectContaining({ label: "token", low: 70, mean: expect.closeTo(70.667, 2), high: 72 }),
    expect.objectContaining({ label: "film", low: 60, mean: 61, high: 63 }),
  ]);
  expect(encodingOf(chart, "x").axis).toMatchObject({ tickMinStep: 1, format: "d" });
  expect(axisTitle(chart, "x")).toContain("lowest to highest seed");
  expect(marksOf(curves(madeInput([{ label: "film", acc: [0.5] }])), "area")[0]).toEqual([]);
});

test("the line over training time connects what no faster configuration reaches", () => {
  const slow = { label: "slow", acc: [0.8, 0.8, 0.8] };
  const input = timedInput([slow, token, film, yolo], { slow: 7200, token: 600, film: 900 });
  const chart = paretoChart(input);
  const [front = []] = marksOf(chart, "line");
  expect(front.slice(0, 2)).toEqual([
    { time: expect.closeTo(1 / 6, 6), mean: expect.closeTo(70.667, 2) },
    { time: 2, mean: 80 },
  ]);
  expect(front[2]?.time).toBe(domainOf(chart, "x")[1]);
  expect(axisTitle(chart, "x")).toContain("training time of a trial (hours");
  expect(marksOf(chart, "point").at(-1)).toHaveLength(3); // The baseline trains nothing.
  expect(chart?.alt).toContain("token 70.7 % in 0.2 hours; slow 80.0 % in 2.0 hours");
});

test.each([
  [10, 20, "seconds", "linear"],
  [300, 600, "minutes", "linear"],
  [600, 36_000, "hours", "log"],
])("training times of %i and %i s are in %s on a %s axis", (short, long, unit, type) => {
  const input = timedInput([token, film], { token: short, film: long });
  const chart = paretoChart(input);
  expect(axisTitle(chart, "x")).toContain(`(${unit}`);
  expect(encodingOf(chart, "x").scale).toMatchObject({ type });
});

test("with hundreds of configurations, charts show the best and the declared baseline, and say how many", async () => {
  const input = madeInput(settings(300));
  const labelOf = (index: number): string => input.summary.settings[index]?.label ?? "";
  const summary: Summary = { ...input.summary, baseline: labelOf(200) };
  const leaderboard = leaderboardChart(summary);
  expect(marksOf(leaderboard, "tick")[0]).toHaveLength(maxRows);
  for (const chart of [leaderboard, forestChart(summary)])
    expect(axisTitle(chart, "x")).toMatch(new RegExp(`${maxRows} of (300|299) configurations`));
  const wrapped = JSON.stringify(marksOf(leaderboard, "tick"));
  expect(wrapped).toContain("sharpness=200");
  expect(wrapped).not.toContain("sharpness=100");
  const drawn = [accuracyAtIouChart(summary), curvesChart(summary, completedTrials(input.trials))];
  for (const chart of drawn) {
    const labels = new Set(marksOf(chart, "line")[0]?.map(({ label }) => label));
    expect(labels.size).toBe(maxDrawn);
    expect(JSON.stringify([...labels])).toContain("sharpness=200");
    expect(axisTitle(chart, "x")).toContain(`${maxDrawn} of 300 configurations`);
    expect(chart?.alt).toContain("and 292 more");
  }
  const pareto = paretoChart({ ...input, summary });
  expect(axisTitle(pareto, "x")).toContain("292 more of 300");
  expect((await renderSvg(leaderboard, "leaderboard")).length).toBeLessThan(200_000);
});

test("a configuration has the same color in every chart; others get colors of their own", () => {
  const baselines = Array.from({ length: 8 }, (_, index) => ({ ...yolo, label: `YOLO ${index}, crop` }));
  const colors = (chart: ReturnType<typeof curves>): Map<unknown, unknown> =>
    new Map(marksOf(chart, "line")[0]?.map(({ label, color }) => [label, color]));
  const few = madeInput([yolo, token, film]);
  const inCurves = colors(curves(few));
  expect([...inCurves.keys()]).toEqual(["token", "film"]);
  for (const [label, color] of inCurves)
    expect(colors(accuracyAtIouChart(few.summary)).get(label)).toBe(color);
  const outside = colors(curves(madeInput([...baselines, token, film])));
  expect(new Set(outside.values()).size).toBe(2);
});

test("charts of a sweep without any hit are valid", async () => {
  const input = madeInput([
    { label: "film", acc: [0] },
    { label: "token", acc: [0] },
  ]);
  const all = [
    leaderboardChart(input.summary),
    forestChart(input.summary),
    subsetDifferencesChart(input.summary),
    accuracyAtIouChart(input.summary),
    curves(input),
    paretoChart(input),
  ];
  for (const chart of all) {
    if (chart === undefined) throw new Error("expected every chart");
    expect(await renderSvg(chart, "chart")).not.toMatch(/NaN|undefined|Infinity/);
  }
});

test("figures without intervals are drawn as their means", async () => {
  const made = madeSummary([token, film]);
  const summary = JSON.parse(JSON.stringify(made), (key, value) =>
    key === "low" || key === "high" ? null : value,
  ) as Summary;
  const chart = forestChart(summary);
  expect(marksOf(chart, "point")[0]?.[0]).toMatchObject({
    low: expect.closeTo(-9.667, 2),
    mean: expect.closeTo(-9.667, 2),
  });
  expect(await renderSvg(leaderboardChart(summary), "leaderboard")).not.toMatch(/NaN|null/);
});

test("the bar of a baseline has three parts, with numbers where they fit", async () => {
  const chart = errorsChart(madeSummary([{ ...yolo, acc: [0.7] }, ...settings(1)]));
  if (chart === undefined) throw new Error("expected a chart");
  const svg = await renderSvg(chart, "boxes");
  const bars = [...svg.matchAll(/role="graphics-symbol" aria-roledescription="bar"/g)];
  expect(bars).toHaveLength(3);
  expect(textsOf(svg)).toEqual(expect.arrayContaining(["70.0", "26.0", "ranking error", "detection error"]));
  expect(textsOf(svg)).not.toContain("4.0"); // The part is too small; the table has the number.
  expect(chart.alt).toContain("ranking error 26.0 %");
  expect(errorsChart(madeSummary(settings(2)))).toBeUndefined();
});
