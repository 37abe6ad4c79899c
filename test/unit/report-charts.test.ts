import { expect, test } from "vitest";
import { errorsChart } from "../../src/report/charts/baseline-errors.ts";
import { maxDrawn, renderSvg } from "../../src/report/charts/chart-spec.ts";
import { curvesChart } from "../../src/report/charts/curves.ts";
import { leaderboardChart } from "../../src/report/charts/leaderboard.ts";
import { subsetsChart } from "../../src/report/charts/subsets.ts";
import { completedTrials } from "../../src/report/report-input.ts";
import { type MadeSetting, madeInput } from "../helpers/report-input.ts";

const settings = (count: number): MadeSetting[] =>
  Array.from({ length: count }, (_, index) => ({
    label: `my_fusion.py:MyFusion sharpness=${index} text=words interaction=additive`,
    acc: [0.6 - index * 0.02, 0.61 - index * 0.02],
  }));

const yolo: MadeSetting = { label: "YOLO n, crop", acc: [0.7], baseline: { best_box: 0.96 } };

async function charts(made: MadeSetting[]): Promise<string[]> {
  const { summary, trials } = madeInput(made);
  const specs = [
    leaderboardChart(summary),
    subsetsChart(summary),
    curvesChart(summary, completedTrials(trials)),
  ];
  return Promise.all(specs.map((spec) => renderSvg(spec ?? {})));
}

test("the same figures give the same bytes", async () => {
  expect(await charts(settings(3))).toEqual(await charts(settings(3)));
});

test("charts have a white background and wrap long labels", async () => {
  for (const svg of await charts(settings(2))) {
    expect(svg).toMatch(/<rect [^>]*fill="white"/);
    const words = [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]+)(?=<)/g)].map(([, text]) => text);
    expect(words).toContain("my_fusion.py:MyFusion sharpness=0");
    expect(words).toContain("text=words interaction=additive");
    expect(svg).not.toContain("…");
  }
});

test("the leaderboard has a dot for each seed of every configuration", async () => {
  const [svg = ""] = await charts([...settings(10), yolo]);
  const dots = [...svg.matchAll(/aria-roledescription="point"/g)];
  expect(dots).toHaveLength(20); // A baseline's only value is its mean.
});

test("bars and curves show at most as many configurations as there are colors", async () => {
  const [, subsets = "", curves = ""] = await charts(settings(10));
  const labels = (svg: string): number =>
    new Set([...svg.matchAll(/>my_fusion\.py:MyFusion (sharpness=\d+)</g)].map(([, text]) => text)).size;
  expect(labels(subsets)).toBe(maxDrawn);
  expect(labels(curves)).toBe(maxDrawn);
});

test("charts of a sweep without any hit are valid", async () => {
  for (const svg of await charts([{ label: "film", acc: [0] }]))
    expect(svg).not.toMatch(/NaN|undefined|>0\.0+</);
});

test("only trained configurations have a curve, in the same color as in the other charts", async () => {
  const [, subsets = "", curves = ""] = await charts([yolo, ...settings(2)]);
  const colorsOf = (svg: string): (string | undefined)[] =>
    [...svg.matchAll(/aria-roledescription="(?:bar|line mark)"[^>]*?(?:fill|stroke)="(#\w+)"/g)].map(
      ([, c]) => c,
    );
  const [baseline, ...trained] = new Set(colorsOf(subsets));
  expect(trained).toHaveLength(2);
  expect(new Set(colorsOf(curves))).toEqual(new Set(trained));
  expect(curves).not.toContain("YOLO");
  expect(baseline).toBeDefined();
  expect(curvesChart(madeInput([yolo]).summary, [])).toBeUndefined();
});

test("trained configurations outside the best eight have different colors in the curves", async () => {
  const baselines = Array.from({ length: 8 }, (_, index) => ({ ...yolo, label: `YOLO ${index}, crop` }));
  const [, , curves = ""] = await charts([...baselines, ...settings(3)]);
  const colors = [...curves.matchAll(/aria-roledescription="line mark"[^>]*?stroke="(#\w+)"/g)].map(
    ([, color]) => color,
  );
  expect(new Set(colors).size).toBe(3);
});

test("the bar of a baseline has three parts, with numbers where they fit", async () => {
  const spec = errorsChart(madeInput([yolo, ...settings(1)]).summary);
  const svg = await renderSvg(spec ?? {});
  const bars = [
    ...svg.matchAll(/<path aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="bar"/g),
  ];
  const words = [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text]) => text);
  expect(bars).toHaveLength(3);
  expect(words).toEqual(expect.arrayContaining(["70.0", "26.0", "ranking error", "detection error"]));
  expect(words).not.toContain("4.0"); // The part is too small; the table has the number.
  expect(errorsChart(madeInput(settings(2)).summary)).toBeUndefined();
});
