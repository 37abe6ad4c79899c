import { expect, test } from "vitest";
import { boxesChart } from "../../src/report/charts/boxes.ts";
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

const yolo: MadeSetting = { label: "YOLO n, crop", acc: [0.7], baseline: { best_box: 0.96 } };

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
  const [svg = ""] = await charts([...settings(10), yolo]);
  const dots = [...svg.matchAll(/aria-roledescription="point"/g)];
  expect(dots).toHaveLength(20); // A baseline's one value is its mean.
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

test("only what learns has a curve, in its colour of the other charts", async () => {
  const [, strata = "", curves = ""] = await charts([yolo, ...settings(2)]);
  const colours = (svg: string): (string | undefined)[] =>
    [...svg.matchAll(/aria-roledescription="(?:bar|line mark)"[^>]*?(?:fill|stroke)="(#\w+)"/g)].map(
      ([, c]) => c,
    );
  const [baseline, ...learners] = new Set(colours(strata));
  expect(learners).toHaveLength(2);
  expect(new Set(colours(curves))).toEqual(new Set(learners));
  expect(curves).not.toContain("YOLO");
  expect(baseline).toBeDefined();
  expect(curvesChart(madeInput([yolo]).summary, [])).toBeUndefined();
});

test("learners beyond the best eight have colours of their own in the curves", async () => {
  const baselines = Array.from({ length: 8 }, (_, index) => ({ ...yolo, label: `YOLO ${index}, crop` }));
  const [, , curves = ""] = await charts([...baselines, ...settings(3)]);
  const colours = [...curves.matchAll(/aria-roledescription="line mark"[^>]*?stroke="(#\w+)"/g)].map(
    ([, colour]) => colour,
  );
  expect(new Set(colours).size).toBe(3);
});

test("a baseline's bar is parted in what is found and what boxes and ranking lose, with numbers where they fit", async () => {
  const spec = boxesChart(madeInput([yolo, ...settings(1)]).summary);
  const svg = await chartSvg(spec ?? {});
  const bars = [
    ...svg.matchAll(/<path aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="bar"/g),
  ];
  const words = [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text]) => text);
  expect(bars).toHaveLength(3);
  expect(words).toEqual(expect.arrayContaining(["70.0", "26.0", "lost by the ranking", "lost by the boxes"]));
  expect(words).not.toContain("4.0"); // Too narrow: the table has it.
  expect(boxesChart(madeInput(settings(2)).summary)).toBeUndefined();
});
