import { compile } from "vega-lite";
import { expect, test } from "vitest";
import { loadSharp } from "../../src/base/sharp.ts";
import { accuracyAtIouChart } from "../../src/report/charts/accuracy-at-iou.ts";
import { errorsChart } from "../../src/report/charts/baseline-errors.ts";
import type { Chart } from "../../src/report/charts/chart-spec.ts";
import { curvesChart } from "../../src/report/charts/curves.ts";
import { errorClassesChart } from "../../src/report/charts/error-classes.ts";
import { forestChart } from "../../src/report/charts/forest.ts";
import { leaderboardChart } from "../../src/report/charts/leaderboard.ts";
import { paretoChart } from "../../src/report/charts/pareto.ts";
import { reliabilityChart } from "../../src/report/charts/reliability.ts";
import { renderSvg } from "../../src/report/charts/render-svg.ts";
import { riskCoverageChart } from "../../src/report/charts/risk-coverage.ts";
import { subsetDifferencesChart } from "../../src/report/charts/subset-differences.ts";
import { classColors, divergingColors, partColors, settingColors } from "../../src/report/charts/theme.ts";
import { completedTrials } from "../../src/report/report-input.ts";
import { textsOf } from "../helpers/chart-marks.ts";
import { type MadeSetting, madeInput } from "../helpers/report-input.ts";

const long = "my_fusion.py:MyFusion sharpness=0 text=words interaction=additive";
const made: MadeSetting[] = [
  { label: long, acc: [0.6, 0.61] },
  { label: "film", acc: [0.5, 0.5] },
  { label: "YOLO n, crop", acc: [0.4], baseline: { best_box: 0.96 } },
];

/** All charts of a report, by name. */
function chartsOf(settings: MadeSetting[]): [name: string, chart: Chart][] {
  const { summary, trials } = madeInput(settings);
  const completed = completedTrials(trials);
  const all: [string, Chart | undefined][] = [
    ["leaderboard", leaderboardChart(summary)],
    ["differences", forestChart({ ...summary, smallest_difference: 0.02 })],
    ["boxes", errorsChart(summary)],
    ["strata", subsetDifferencesChart(summary)],
    ["accuracy-at-iou", accuracyAtIouChart(summary)],
    ["error-classes", errorClassesChart(summary)],
    ["risk-coverage", riskCoverageChart(summary)],
    ["reliability", reliabilityChart(summary)],
    ["curves", curvesChart(summary, completed)],
    ["time", paretoChart({ summary, trials })],
  ];
  return all.flatMap(([name, chart]): [string, Chart][] => (chart === undefined ? [] : [[name, chart]]));
}

const svgsOf = (settings: MadeSetting[]): Promise<string[]> =>
  Promise.all(chartsOf(settings).map(([name, chart]) => renderSvg(chart, name)));

test("the same figures give the same bytes", async () => {
  expect(await svgsOf(made)).toEqual(await svgsOf(made));
});

test("each chart has its background, an alt text and a style that only applies to itself", async () => {
  const scopes = new Set<string>();
  const svgs = await svgsOf(made);
  for (const svg of svgs) {
    expect(svg).toMatch(/<rect width="\d+" height="\d+" fill="#ffffff"/);
    const [, scope = "", alt = ""] =
      svg.match(/^<svg class="([\w-]+)" role="img" aria-label="([^"]+)"/) ?? [];
    expect(alt).toMatch(/\d\.\d/);
    scopes.add(scope);
    const rules = ruleOf(svg)
      .split("}")
      .filter((rule) => rule !== "");
    expect(rules.length).toBeGreaterThan(3);
    for (const rule of rules) expect(rule).toMatch(new RegExp(`^\\.${scope} \\[`));
    expect(svg).not.toMatch(/<[^>]* (id|href|xlink:href)=/); // These would clash on a page with several charts.
  }
  expect(scopes.size).toBe(svgs.length);
});

test("every color has a counterpart on dark pages", async () => {
  for (const svg of await svgsOf(made)) {
    const used = new Set(
      [...svg.matchAll(/<[^>]* (fill|stroke)="([^"]+)"/g)].map(([, , color]) => color ?? ""),
    );
    expect(used.size).toBeGreaterThan(3);
    for (const color of used)
      if (!["none", "transparent"].includes(color)) expect([...darkColors(svg).keys()]).toContain(color);
  }
});

test("colors have enough contrast on light and on dark pages", async () => {
  const dark = darkColors(await allColors());
  const onDark = (color: string): string => dark.get(color) ?? "none";
  const light = "#ffffff";
  for (const color of settingColors) {
    expect(contrast(color, light)).toBeGreaterThan(3);
    expect(contrast(onDark(color), onDark(light))).toBeGreaterThan(3);
  }
  const cells = [...Array(9).keys()].map((step) => divergingColors(step / 4 - 1));
  expect(new Set(cells.map(({ fill }) => fill)).size).toBe(9);
  for (const { fill, text } of [...cells, ...partColors, ...classColors]) {
    expect(contrast(text, fill)).toBeGreaterThan(4.5);
    expect(contrast(onDark(text), onDark(fill))).toBeGreaterThan(4.5);
  }
  // Neighbors in a bar are told apart by their lightness.
  for (const [index, { fill }] of classColors.slice(1).entries()) {
    const before = classColors[index]?.fill ?? "";
    expect(contrast(fill, before)).toBeGreaterThan(1.5);
    expect(contrast(onDark(fill), onDark(before))).toBeGreaterThan(1.5);
  }
  const [ink] = textsColors(await svgsOf(made));
  expect(contrast(ink ?? "", light)).toBeGreaterThan(7);
  expect(contrast(onDark(ink ?? ""), onDark(light))).toBeGreaterThan(7);
});

test("long labels are wrapped, and extremely long ones keep their start and their end", async () => {
  const words = Array.from({ length: 2000 }, (_, index) => `word${index}`).join(" ");
  const svgs = await svgsOf([...made, { label: words, acc: [0.3, 0.3] }]);
  const [leaderboard = ""] = svgs;
  const texts = textsOf(leaderboard);
  expect(texts).toContain("my_fusion.py:MyFusion sharpness=0");
  expect(texts).toContain("text=words interaction=additive");
  expect(texts.join(" ")).toMatch(/word0 word1 .*… .*word1998 word1999/);
  expect(texts.join(" ")).not.toContain("word1000");
  for (const [, { alt }] of chartsOf([{ label: words, acc: [0.8, 0.8] }, ...made]))
    expect(alt.length).toBeLessThan(1200);
  const [, height] = leaderboard.match(/viewBox="0 0 [\d.]+ ([\d.]+)"/) ?? [];
  expect(Number(height)).toBeLessThan(600);
});

/** "marker" shows where they go. */
const untrusted = [
  'marker </text><script>alert(1)</script> "quoted" <b onload=x>',
  "marker שלום עולם",
  "marker \u202eoverride",
  "marker 👩‍🚀🚀",
  "marker\nnew\tline \u0000\u001b[31m \ud800",
  "marker new line",
  "marker' + alert(1) + '\\' \" datum.x #{x} {{y}}",
  "marker | cell",
];

test("labels cannot break a chart or run anything", async () => {
  const settings = untrusted.map((label, index) => ({ label, acc: [0.6 - index / 50, 0.6 - index / 50] }));
  const sharp = await loadSharp();
  for (const [name, chart] of chartsOf(settings)) {
    const svg = await renderSvg(chart, name);
    await sharp(Buffer.from(svg)).metadata(); // Fails if the XML is not well-formed.
    expect(svg).not.toMatch(/<script|<b /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(svg).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\u202e]/);
    expect(expressionsOf(compile(JSON.parse(JSON.stringify(chart.spec))).spec).join("\n")).not.toContain(
      "marker",
    );
  }
});

test("labels that look the same keep rows of their own", async () => {
  const twins = ["film\tone", "film one", "film  one"].map((label) => ({ label, acc: [0.5, 0.6] }));
  const [[, leaderboard] = []] = chartsOf(twins);
  if (leaderboard === undefined) throw new Error("expected a chart");
  const texts = textsOf(await renderSvg(leaderboard, "leaderboard")).filter((text) =>
    text.startsWith("film"),
  );
  expect(new Set(texts).size).toBe(3);
});

/** Every text that Vega evaluates. */
function expressionsOf(value: unknown, key = ""): string[] {
  if (typeof value === "string") return evaluated.has(key) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    expressionsOf(item, Array.isArray(value) ? key : name),
  );
}

const evaluated = new Set(["signal", "expr", "test", "update", "init", "labelExpr"]);

function ruleOf(svg: string): string {
  return svg.match(/<style>@media screen and \(prefers-color-scheme:dark\)\{(.*?)\}<\/style>/)?.[1] ?? "";
}

/** The color on dark pages, by the one on light pages. */
function darkColors(svg: string): Map<string, string> {
  return new Map(
    [...ruleOf(svg).matchAll(/\[(?:fill|stroke)="(#\w+)"\]\{(?:fill|stroke):(#\w+)/g)].map(
      ([, light = "", dark = ""]) => [light, dark],
    ),
  );
}

/** A chart with all colors of the theme. */
function allColors(): Promise<string> {
  const cells = [...Array(9).keys()].map((step) => divergingColors(step / 4 - 1));
  const colors = [
    ...settingColors,
    ...[...cells, ...partColors, ...classColors].flatMap(({ fill, text }) => [fill, text]),
  ];
  const values = [...colors, "#1f2328"].map((color, index) => ({ color, index }));
  const encoding = {
    x: { field: "index", type: "quantitative" },
    fill: { field: "color", type: "nominal", scale: null },
  };
  return renderSvg({ spec: { data: { values }, mark: "point", encoding }, alt: "colors" }, "colors");
}

/** Colors of texts, the most frequent first. */
function textsColors(svgs: string[]): string[] {
  const counts = new Map<string, number>();
  for (const [, color = ""] of svgs.join("").matchAll(/<text [^>]*fill="([^"]+)"/g))
    counts.set(color, (counts.get(color) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
}

/** Contrast ratio of WCAG 2. */
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
