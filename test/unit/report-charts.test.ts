import { expect, test } from "vitest";
import { curvesChart } from "../../src/report/charts/curves.ts";
import { leaderboardChart } from "../../src/report/charts/leaderboard.ts";
import { maxDrawn } from "../../src/report/charts/settings.ts";
import { chartSvg } from "../../src/report/charts/spec.ts";
import { strataChart } from "../../src/report/charts/strata.ts";
import { completedTrials } from "../../src/report/report-input.ts";
import { type MadeSetting, madeInput } from "../helpers/report-input.ts";

const settings = (count: number): MadeSetting[] =>
  Array.from({ length: count }, (_, index) => ({
    label: `my_fusion.py:MyFusion sharpness=${index} text=words interaction=additive`,
    acc: [0.6 - index * 0.02, 0.61 - index * 0.02],
  }));

async function charts(made: MadeSetting[]): Promise<string[]> {
  const { summary, trials } = madeInput(made);
  const curves = completedTrials(trials).map(({ spec: { label, seed }, outcome }) => ({
    label,
    seed,
    outcome,
  }));
  const specs = [leaderboardChart(summary), strataChart(summary), curvesChart(summary, curves)];
  return Promise.all(specs.map((spec) => chartSvg(spec ?? {})));
}

test("the same figures give the same bytes", async () => {
  expect(await charts(settings(3))).toEqual(await charts(settings(3)));
});

test("charts stand on white and show long labels whole, in lines", async () => {
  for (const svg of await charts(settings(2))) {
    expect(svg).toMatch(/<rect [^>]*fill="white"/);
    const words = [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]+)(?=<)/g)].map(([, text]) => text);
    expect(words).toContain("my_fusion.py:MyFusion sharpness=0");
    expect(words).toContain("text=words interaction=additive");
    expect(svg).not.toContain("…");
  }
});

test("the leaderboard has a dot for each seed of every setting", async () => {
  const [svg = ""] = await charts(settings(10));
  const dots = [...svg.matchAll(/aria-roledescription="point"/g)];
  expect(dots).toHaveLength(20);
});

test("bars and curves are of as many settings as there are colours to tell apart", async () => {
  const [, strata = "", curves = ""] = await charts(settings(10));
  const labels = (svg: string): number =>
    new Set([...svg.matchAll(/>my_fusion\.py:MyFusion (sharpness=\d+)</g)].map(([, text]) => text)).size;
  expect(labels(strata)).toBe(maxDrawn);
  expect(labels(curves)).toBe(maxDrawn);
});

test("no hit at all can be drawn", async () => {
  for (const svg of await charts([{ label: "film", acc: [0] }]))
    expect(svg).not.toMatch(/NaN|undefined|>0\.0+</);
});
