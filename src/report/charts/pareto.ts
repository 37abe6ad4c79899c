import type { Summary } from "../../contract/generated/types.ts";
import { figureOf } from "../figures.ts";
import { points } from "../points.ts";
import type { ReportInput } from "../report-input.ts";
import { trainingHours } from "../sections/cost.ts";
import { type Chart, type ChartSpec, listed } from "./chart-spec.ts";
import { shortLabel } from "./labels.ts";
import { lineLabels, plotHeight } from "./line-labels.ts";
import { noteZoom, toPercent, zoomedDomain } from "./scales.ts";
import { color, maxDrawn, settingStyles, shape } from "./shown-settings.ts";
import { colors } from "./theme.ts";

/**
 * Acc@0.5 over the training time of a trial, with a line through the configurations that no faster one reaches. The shared
 * features are left out, since only the first trial waits for them, and so are baselines, which train nothing.
 */
export function paretoChart(input: Pick<ReportInput, "summary" | "trials">): Chart | undefined {
  const { summary } = input;
  const all = trainedPoints(summary, trainingHours(input));
  if (all.length < 2) return undefined;
  const front = paretoFront(all);
  const isFront = new Set(front.map(({ label }) => label));
  const isLabeled = labeledOf(all, isFront);
  const labeled = all.filter(({ label }) => isLabeled.has(label));
  const others = all.filter(({ label }) => !isLabeled.has(label));
  const styles = settingStyles(
    summary,
    labeled.map(({ label }) => label),
  );
  const { unit, perHour } = unitFor(Math.max(...all.map(({ hours }) => hours)));
  const place = <T extends TrainedPoint>(point: T) => ({ ...point, time: point.hours * perHour });
  const drawn = labeled.flatMap((point) => {
    const style = styles.get(point.label);
    return style === undefined ? [] : [{ ...place(point), ...style }];
  });
  const domain = zoomedDomain(all.flatMap(({ low, high }) => [low, high]));
  const times = all.map((point) => place(point).time);
  const isLog = Math.max(...times) > 20 * Math.min(...times);
  const range: [number, number] = isLog
    ? [Math.min(...times) / 1.2, Math.max(...times) * 1.2]
    : [0, Math.max(...times) * 1.05];
  const x: ChartSpec = {
    field: "time",
    type: "quantitative",
    scale: { type: isLog ? "log" : "linear", domain: range, nice: false },
    axis: {
      title: [
        `training time of a trial (${unit}${isLog ? ", logarithmic" : ""}), mean over seeds, without the shared features`,
        "dashed: the most accurate within a training time; vertical line: interval",
        ...(noteZoom(domain) === "" ? [] : [`vertical${noteZoom(domain).slice(1)}`]),
        ...(others.length > 0 ? [`gray: ${others.length} more of ${all.length} configurations`] : []),
      ],
      tickCount: 8,
      labelFlush: false,
      ...(isLog ? { format: "~g" } : {}),
    },
  };
  const y: ChartSpec = {
    field: "mean",
    type: "quantitative",
    scale: { domain, zero: false },
    axis: { title: `Acc@0.5 on ${summary.split} (%)` },
  };
  const steps = front.map(place).map(({ time, mean }) => ({ time, mean }));
  const height = plotHeight(drawn);
  const width = 520;
  const ends = drawn.map(({ label, color, shape, time, mean }) => ({
    label,
    color,
    shape,
    x: time,
    y: mean,
  }));
  const spec = {
    width,
    height,
    layer: [
      {
        data: { values: [...steps, ...steps.slice(-1).map(({ mean }) => ({ time: range[1], mean }))] },
        mark: {
          type: "line",
          interpolate: "step-after",
          color: colors.axis,
          strokeWidth: 2,
          strokeDash: [5, 3],
        },
        encoding: { x, y },
      },
      ...lineLabels(ends, { width, height, domain, x, y }),
      {
        data: { values: others.map(place) },
        mark: { type: "point", filled: true, size: 24, color: colors.other, opacity: 1 },
        encoding: { x, y },
      },
      {
        data: { values: drawn },
        mark: { type: "rule", strokeWidth: 1.6 },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
      },
      {
        data: { values: drawn },
        mark: { type: "point", filled: true, size: 90, opacity: 1 },
        encoding: { x, y, color, shape },
      },
    ],
  };
  const figures = front.map(
    (point) =>
      `${shortLabel(point.label)} ${points(point.mean / 100)} % in ${place(point).time.toFixed(1)} ${unit}`,
  );
  const alt = `Acc@0.5 on ${summary.split} over the training time of a trial; no faster configuration is as accurate as: ${listed(figures)}.`;
  return { spec, alt };
}

/** A trained configuration: its Acc@0.5 in percent and its mean training time. */
interface TrainedPoint {
  label: string;
  mean: number;
  low: number;
  high: number;
  hours: number;
}

function trainedPoints({ settings }: Summary, trainingHours: Map<string, number>): TrainedPoint[] {
  return settings.flatMap((setting) => {
    const figure = figureOf(setting, "acc_at_50");
    const hours = trainingHours.get(setting.label) ?? 0;
    if (figure === undefined || hours <= 0) return [];
    return [{ label: setting.label, ...toPercent(figure.interval), hours }];
  });
}

/** Those that are more accurate than every faster one, the fastest first. */
function paretoFront(all: readonly TrainedPoint[]): TrainedPoint[] {
  let best = Number.NEGATIVE_INFINITY;
  return all
    .toSorted((a, b) => a.hours - b.hours || b.mean - a.mean)
    .filter(({ mean }) => {
      const isBetter = mean > best;
      best = Math.max(best, mean);
      return isBetter;
    });
}

/** Labels with a color: the most accurate of the front, then the best others. */
function labeledOf(all: readonly TrainedPoint[], isFront: Set<string>): Set<string> {
  const ordered = all.toSorted(
    (a, b) => Number(isFront.has(b.label)) - Number(isFront.has(a.label)) || b.mean - a.mean,
  );
  return new Set(ordered.slice(0, maxDrawn).map(({ label }) => label));
}

/** The unit in which the longest time has a readable number. */
function unitFor(hours: number): { unit: string; perHour: number } {
  if (hours < 1 / 30) return { unit: "seconds", perHour: 3600 };
  if (hours < 2) return { unit: "minutes", perHour: 60 };
  return { unit: "hours", perHour: 1 };
}
