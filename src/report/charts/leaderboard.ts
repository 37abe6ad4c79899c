import { joinWords, wrapText } from "../../base/format.ts";
import type { SettingSummary, Summary } from "../../contract/generated/types.ts";
import { confidenceOf, type Floor, figureOf, floorsOf } from "../figures.ts";
import { interval, points } from "../points.ts";
import { countRuns, runNoun, runsOf } from "../wording.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { drawnLabels, settingRows, shortLabel } from "./labels.ts";
import { noteZoom, percentOf, toPercent, zoomedDomain } from "./scales.ts";
import { maxRows, noteHidden, selectShown } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/** Acc@0.5 of each configuration: its interval as a bar, its seeds one below the other, a dashed line per floor. */
export function leaderboardChart(summary: Summary): Chart {
  const shown = selectShown(summary.settings, summary.baseline, maxRows);
  const rows = makeRows(shown);
  const seeds = rows.flatMap(({ seeds }) => seeds);
  const domain = zoomedDomain([
    ...rows.flatMap(({ low, high }) => [low, high]),
    ...seeds.map(({ value }) => value),
  ]);
  const floors = floorsOf(summary).map((floor) => ({ ...floor, value: percentOf(floor.acc_at_50.mean) }));
  const isInside = ({ value }: { value: number }): boolean => value >= domain[0] && value <= domain[1];
  const [inside, outside] = [floors.filter(isInside), floors.filter((floor) => !isInside(floor))];
  const marks = `tick: mean; bar: ${confidenceOf(summary)} interval`;
  const x = (field: string): ChartSpec => ({
    field,
    type: "quantitative",
    scale: { domain, zero: false },
    axis: {
      tickCount: 8,
      title: [
        `Acc@0.5 on ${summary.split} (%)${noteZoom(domain)}`,
        seeds.length > 0
          ? `${marks}; dot: one ${runNoun(summary.settings.map(runsOf))}, the first on top`
          : marks,
        ...noteOutside(outside),
        ...noteHidden(shown, summary.settings, summary),
      ],
    },
  });
  const mostSeeds = Math.max(...rows.map((row) => row.seeds.length));
  const { y, height } = settingRows(
    rows.map(({ label }) => label),
    mostSeeds * seedStep + 17,
  );
  const spec = {
    width: 520,
    height,
    layer: [
      ...(inside.length === 0 ? [] : [floorLines(inside, x("value"))]),
      {
        data: { values: rows },
        mark: { type: "rule", strokeWidth: 9, color: colors.interval },
        encoding: { y, x: x("low"), x2: { field: "high" } },
      },
      {
        data: { values: rows },
        mark: {
          type: "tick",
          thickness: 3,
          size: Math.max(22, mostSeeds * seedStep + 9),
          color: colors.mean,
          opacity: 1,
        },
        encoding: { y, x: x("mean") },
      },
      {
        data: { values: seeds },
        mark: {
          type: "point",
          filled: true,
          size: 36,
          opacity: 1,
          yOffset: { expr: "datum.offset" },
          ...seedMark,
        },
        encoding: { y, x: x("value") },
      },
    ],
  };
  return { spec, alt: describe(summary, floors) };
}

interface Row {
  label: string;
  mean: number;
  low: number;
  high: number;
  seeds: { label: string; value: number; offset: number }[];
}

function makeRows(settings: readonly SettingSummary[]): Row[] {
  const titled = settings.map((setting) => ({
    setting,
    title: setting.is_upper_bound ? `upper bound: ${setting.label}` : setting.label,
  }));
  const names = drawnLabels(titled.map(({ title }) => title));
  return titled.flatMap(({ setting, title }) => {
    const figure = figureOf(setting, "acc_at_50");
    const label = names.get(title) ?? "";
    // The only value of a fixed model is its mean.
    const per_seed = countRuns(runsOf(setting)) === undefined ? [] : (figure?.per_seed ?? []);
    const seeds = per_seed.map(({ value }, index) => ({
      label,
      value: percentOf(value),
      offset: (index - (per_seed.length - 1) / 2) * seedStep,
    }));
    return figure === undefined ? [] : [{ label, ...toPercent(figure.interval), seeds }];
  });
}

/** Floors that have no line on the zoomed axis. */
function noteOutside(floors: readonly Floor[]): string[] {
  if (floors.length === 0) return [];
  const named = floors.map(({ title, acc_at_50 }) => `${title} ${points(acc_at_50.mean)}`);
  return wrapText(`outside the axis, without the expression: ${named.join(", ")}`, 76);
}

/** Pixels between two seeds, so that their dots do not overlap. */
const seedStep = 7;

const seedMark = { color: colors.seed, stroke: colors.background, strokeWidth: 0.8 };

function floorLines(floors: (Floor & { value: number })[], x: ChartSpec): ChartSpec {
  return {
    data: { values: floors.map(({ title, value }) => ({ title, value })) },
    mark: { type: "rule", strokeWidth: 1.6, color: colors.muted },
    encoding: {
      x,
      // Dashes distinguish the lines, so the chart is readable without colors.
      strokeDash: {
        field: "title",
        type: "nominal",
        scale: { domain: floors.map(({ title }) => title), range: floors.map(({ name }) => dashes[name]) },
        legend: {
          title: "without the expression",
          orient: "top",
          titleLimit: 300,
          labelLimit: 300,
          symbolSize: 500,
          symbolStrokeColor: colors.muted,
        },
      },
    },
  };
}

const dashes = { constant_box: [5, 3], whole_image: [1.5, 2.5], image_only: [11, 4], chance: [9, 3, 2, 3] };

function describe({ settings, split }: Summary, floors: readonly Floor[]): string {
  const figures = settings.flatMap((setting) => {
    const figure = figureOf(setting, "acc_at_50");
    return figure === undefined
      ? []
      : [
          `${setting.is_upper_bound ? "upper bound: " : ""}${shortLabel(setting.label)} ${interval(figure.interval)}`,
        ];
  });
  const named = floors.map(({ title, acc_at_50 }) => `${title} ${points(acc_at_50.mean)}`);
  const without = named.length === 0 ? "" : `; without the expression: ${joinWords(named)}`;
  return `Acc@0.5 on ${split} in %, with intervals: ${listed(figures)}${without}.`;
}
