import type {
  Comparison,
  Figure,
  Interval,
  MetricName,
  SettingSummary,
  SubsetSummary,
  Summary,
} from "../contract/generated/types.ts";
import { negated } from "./points.ts";

/** The metrics' names in table headings. */
export const metricTitles: Record<MetricName, string> = {
  acc_at_25: "Acc@0.25",
  acc_at_50: "Acc@0.5",
  acc_at_75: "Acc@0.75",
  acc_at_90: "Acc@0.9",
  macc: "mAcc",
  miou: "mIoU",
  oiou: "oIoU",
  recall_at_1: "Recall@1",
  recall_at_5: "Recall@5",
  recall_at_10: "Recall@10",
  recall_at_100: "Recall@100",
  pointing: "center accuracy",
  pair_accuracy: "pair accuracy",
};

/** Baselines that ignore the expression. */
const floorNames = {
  constant_box: "constant box",
  whole_image: "whole image",
  image_only: "image-only baseline",
  chance: "same-category chance",
};

export type FloorName = keyof typeof floorNames;

export const floorDefinitions: Record<FloorName, string> = {
  constant_box: "the constant box that fits train best",
  whole_image: "the whole image",
  image_only: "the image-only baseline (the best one with an empty expression)",
  chance: "same-category chance (a random object of the target's category in the image)",
};

/** A baseline that ignores the expression. */
export interface Floor {
  name: FloorName;
  title: string;
  acc_at_50: Interval;
  miou: Interval | undefined;
}

/** The floors of a split. */
export function floorsOf({ floors, settings: [best], chance_acc_at_50: chance }: Summary): Floor[] {
  const withTitle = (floor: Omit<Floor, "title">): Floor => ({ ...floor, title: floorNames[floor.name] });
  return [
    ...floors.map(({ name, acc_at_50, miou }) => withTitle({ name, acc_at_50, miou })),
    ...(best === undefined || best.blank === null
      ? []
      : [withTitle({ name: "image_only", acc_at_50: best.blank.acc_at_50, miou: undefined })]),
    ...(chance === null
      ? []
      : [
          withTitle({
            name: "chance",
            acc_at_50: { mean: chance, low: null, high: null },
            miou: undefined,
          }),
        ]),
  ];
}

export function figureOf({ figures }: { figures: Figure[] }, metric: MetricName): Figure | undefined {
  return figures.find((figure) => figure.metric === metric);
}

/** False if there are too few images. */
export function hasIntervals({ settings }: Summary): boolean {
  return settings.some((setting) => (figureOf(setting, "acc_at_50")?.interval.low ?? null) !== null);
}

/** The metrics that at least one of the configurations has. */
export function availableMetrics(settings: { figures: Figure[] }[], metrics: MetricName[]): MetricName[] {
  return metrics.filter((metric) => settings.some((setting) => figureOf(setting, metric) !== undefined));
}

export type CalibratedSetting = SettingSummary & { calibration: NonNullable<SettingSummary["calibration"]> };

/** The configurations whose scores are all finite. */
export function calibratedSettings({ settings }: Summary): CalibratedSetting[] {
  return settings.filter((setting): setting is CalibratedSetting => setting.calibration !== null);
}

/** Labels of the upper bounds: they rank the annotated boxes, so the summary compares them with nothing. */
export function upperBounds({ settings }: Summary): Set<string> {
  return new Set(settings.filter(({ is_upper_bound }) => is_upper_bound).map(({ label }) => label));
}

/** Fractions of a baseline's expressions; they add up to 1. */
export interface ErrorFractions {
  /** A hit is ranked first. */
  correct: Interval;
  /** One of the boxes is a hit, but another box is ranked first. */
  rankingErrors: Interval;
  /** No box is a hit. */
  detectionErrors: Interval;
}

/** Undefined for a ClipRPN, which does not separate detection and ranking. */
export function errorFractions(setting: SettingSummary): ErrorFractions | undefined {
  const correct = figureOf(setting, "acc_at_50")?.interval;
  if (setting.proposals === null || correct === undefined) return undefined;
  const { lost_by_ranking, lost_by_proposals } = setting.proposals;
  return { correct, rankingErrors: lost_by_ranking, detectionErrors: lost_by_proposals };
}

/** "95 %". */
export function confidenceOf({ confidence }: Pick<Summary, "confidence">): string {
  return `${Number((confidence * 100).toFixed(2))} %`;
}

/** The significance level, without the rounding errors of 1 - confidence. */
export function alphaOf({ confidence }: Pick<Summary, "confidence">): number {
  return Number((1 - confidence).toFixed(6));
}

/** Whether a difference is significant after the adjustment for several comparisons. */
export function isSignificant({ p_adjusted }: { p_adjusted: number | null }, summary: Summary): boolean {
  return p_adjusted !== null && p_adjusted < alphaOf(summary);
}

/** False if the best was chosen on the split itself, as among models that no val is known of. */
export function isSelectedOnVal({ selection }: Summary): boolean {
  return selection !== "this_split";
}

/** The configuration that tables compare the others with: the declared baseline, else the best on val. */
export function referenceOf({ baseline, comparisons, verdict }: Summary): string {
  return comparisons.find(({ label }) => label === baseline)?.label ?? verdict.best;
}

export function settingOf({ settings }: Summary, label: string): SettingSummary | undefined {
  return settings.find((setting) => setting.label === label);
}

/** The comparisons of a configuration with each other one, by the label of the other one. */
export function comparisonsOf({ comparisons }: Summary, reference: string): Map<string, Comparison> {
  return new Map(
    comparisons.filter(({ label }) => label === reference).map((each) => [each.against, each] as const),
  );
}

/** A key for maps of subsets. */
export function subsetKey({ by, group }: Pick<SubsetSummary, "by" | "group">): string {
  return `${by}\n${group}`;
}

/** A subset inside a sentence: "negation", "expressions of 5 or fewer words". */
export function groupName({ by, group }: Pick<SubsetSummary, "by" | "group">): string {
  switch (by) {
    case "stratum":
      return group.replaceAll("_", " ");
    case "area_tercile":
    case "area_tercile_refcocog":
      return group.replace(/^(\w+): (.*)$/, "$1 objects ($2 of the image)");
    case "sentence_length":
      return `expressions of ${group} words`;
    case "num_same_category":
      return group === "unknown"
        ? "images with an unknown number of objects of the category"
        : `images with ${group} object${group === "only one" ? "" : "s"} of the category`;
    case "reviewed":
      return `expressions of ${group}`;
  }
}

/** Acc@0.5 of a configuration minus that of the reference; undefined for the reference itself and for upper bounds. */
export function differenceOf(
  summary: Summary,
  label: string,
): { difference: Interval; p_value: number | null; p_adjusted: number | null } | undefined {
  const found = comparisonsOf(summary, referenceOf(summary)).get(label);
  if (found === undefined) return undefined;
  const { p_value, p_adjusted } = found;
  return { difference: negated(found.difference), p_value, p_adjusted };
}
