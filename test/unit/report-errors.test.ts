/** Sections of the report on classes of errors and on the confidence of answers. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { ErrorClassName, ErrorExample, SettingSummary } from "../../src/contract/generated/types.ts";
import type { Chart } from "../../src/report/charts/chart-spec.ts";
import { errorClassesChart, errorParts } from "../../src/report/charts/error-classes.ts";
import { reliabilityChart } from "../../src/report/charts/reliability.ts";
import { renderSvg } from "../../src/report/charts/render-svg.ts";
import { riskCoverageChart } from "../../src/report/charts/risk-coverage.ts";
import { maxRows } from "../../src/report/charts/shown-settings.ts";
import { drawErrorExamples } from "../../src/report/images/draw-errors.ts";
import { render } from "../../src/report/markdown.ts";
import { calibration } from "../../src/report/sections/calibration.ts";
import { errors } from "../../src/report/sections/errors.ts";
import { axisTitle, marksOf, textsOf } from "../helpers/chart-marks.ts";
import { madeSummary } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const film = { label: "film", acc: [0.6, 0.62] };
const token = { label: "token, words", acc: [0.5, 0.52] };
const image = { file: "a.svg", alt: "a" };
const none = { images: [], unreadable: [] };

/** A summary in which every configuration has these fractions. */
function withFractions(fractions: Partial<Record<ErrorClassName, number>>) {
  const summary = madeSummary([film, token]);
  const error_classes = errorParts.map(({ key }): SettingSummary["error_classes"][number] => {
    const mean = fractions[key] ?? 0;
    const interval = { mean, low: null, high: null };
    return { error_class: key, num_sentences: mean * 1000, fraction: interval, sent_ids: [] };
  });
  return { ...summary, settings: summary.settings.map((setting) => ({ ...setting, error_classes })) };
}

const drawn = (chart: Chart | undefined): Promise<string> =>
  chart === undefined ? Promise.resolve("") : renderSvg(chart, "made");

test("the table has the classes that occur, with their percentage and number", () => {
  const summary = withFractions({ hit: 0.7, loose_box: 0.1, background: 0.2 });
  const written = render(errors(summary, image, none, "report.json"));
  expect(written).toContain("| configuration | hit | loose box | background |");
  expect(written).toContain("| film | 70.0 (700) | 10.0 (100) | 20.0 (200) |");
  expect(written).toMatch(/- loose box: .*0\.1 to 0\.5/);
  expect(written).not.toMatch(/- no answer:|- unknown:/);
});

test("classes that the dataset does not tell are named unknown", () => {
  const written = render(errors(withFractions({ hit: 0.7, unknown: 0.3 }), image, none, "report.json"));
  expect(written).toContain("| film | 70.0 (700) | 30.0 (300) |");
  expect(written).toMatch(/- unknown: .*not annotated/);
});

test("a bar has a part for each class, named by a letter, with a number where it fits", async () => {
  const summary = withFractions({ hit: 0.7, loose_box: 0.16, wrong_instance: 0.06, no_answer: 0.08 });
  const svg = await drawn(errorClassesChart(summary));
  const bars = [...svg.matchAll(/aria-roledescription="bar"/g)];
  expect(bars).toHaveLength(8); // Four classes of two configurations.
  const words = textsOf(svg);
  for (const word of ["H 70.0", "L 16.0", "I", "N", "H: hit", "L: loose box", "N: no answer"])
    expect(words).toContain(word);
  for (const word of ["B: background", "U: unknown", "I 6.0"]) expect(words).not.toContain(word);
});

test("the chart and the table of classes have the best configurations", () => {
  const many = Array.from({ length: maxRows + 5 }, (_, index) => ({ label: `film ${index}`, acc: [0.5] }));
  const summary = madeSummary(many);
  const chart = errorClassesChart(summary);
  const [rows = []] = marksOf(chart, "bar");
  expect(new Set(rows.map(({ label }) => label)).size).toBe(maxRows);
  expect(axisTitle(chart, "x")).toContain(`${maxRows} of ${maxRows + 5} configurations`);
  const written = render(errors(summary, image, none, "report.json"));
  expect(written).toContain(`| film ${maxRows - 1} |`);
  expect(written).toContain("And 5 more");
});

test("examples are drawn with their class; one without its image is named", async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "report"));
  const photo = join(folder, "photo.png");
  await sharp({ create: { width: 60, height: 40, channels: 3, background: "green" } }).toFile(photo);
  const example = (error_class: ErrorClassName, image_file: string): ErrorExample => ({
    error_class,
    sent_id: 1,
    image_file,
    upright: true,
    sentence: "the <cup> | left",
    gt_box_xyxy: [1, 1, 20, 20],
    pred_box_xyxy: [30, 10, 50, 30],
    iou: 0.034,
  });
  const missing = join(folder, "gone.png");
  const summary = {
    ...madeSummary([film, token]),
    error_examples: [example("wrong_instance", photo), example("background", missing)],
  };
  const examples = await drawErrorExamples(summary, folder, "report");
  expect(examples.images.map(({ file }) => file)).toEqual(["report/error-wrong-instance.png"]);
  expect(examples.images[0]?.alt).toMatch(/^wrong instance: .*the <cup> \| left.*0\.03/);
  expect(existsSync(join(folder, "report/error-wrong-instance.png"))).toBe(true);
  const written = render(errors(summary, image, examples, "report.json"));
  expect(written).toContain("(report/error-wrong-instance.png)");
  expect(written).toContain("gone.png");
  expect(written).toContain("film (first seed)");
});

test("the confidence of answers has risks at some coverages", () => {
  const summary = madeSummary([film, token]);
  const written = render(calibration(summary, image, image));
  expect(written).toContain("| configuration | risk at 100 % coverage | risk at 75 % coverage |");
  expect(written).toMatch(/\| film \| 39\.0 \|/);
  expect(written).toMatch(/AURC/);
});

test("a configuration without finite scores has no calibration", async () => {
  const { settings, ...rest } = madeSummary([film, token]);
  const [first, second] = settings.map((setting) => ({ ...setting, calibration: null }));
  if (first === undefined || second === undefined) return;
  const neither = { ...rest, settings: [first, second] };
  expect(calibration(neither, undefined, undefined)).toEqual([]);
  expect([reliabilityChart(neither), riskCoverageChart(neither)]).toEqual([undefined, undefined]);
  const one = { ...rest, settings: [first, ...settings.slice(1)] };
  const svg = await drawn(riskCoverageChart(one));
  expect(svg).toContain("token, words");
  expect(svg).not.toContain("film");
  expect(render(calibration(one, image, image))).not.toContain("| film |");
});

test("the reliability has a panel for each configuration, with its bins, intervals and fit", async () => {
  const summary = madeSummary([film, token]);
  const svg = await drawn(reliabilityChart(summary));
  const bins = summary.settings.reduce((sum, { calibration }) => sum + (calibration?.bins.length ?? 0), 0);
  expect([...svg.matchAll(/aria-roledescription="point"/g)]).toHaveLength(bins);
  expect([...svg.matchAll(/aria-roledescription="rule mark"/g)]).toHaveLength(bins);
  expect(textsOf(svg)).toEqual(expect.arrayContaining(["film", "token, words", "score"]));
});

test("the lines of risk over coverage have a shape and a label each", () => {
  const chart = riskCoverageChart(madeSummary([film, token]));
  const points = marksOf(chart, "point").flat();
  expect(new Set(points.map(({ shape }) => shape)).size).toBe(2);
  expect(new Set(points.map(({ color }) => color)).size).toBe(2);
  expect(
    marksOf(chart, "text")
      .flat()
      .map(({ label }) => label),
  ).toEqual(["token, words", "film"]);
  expect(chart?.alt).toMatch(/film 39\.0, 0\.0, 10\.0; token, words 49\.0, 0\.0, 10\.0/);
});
