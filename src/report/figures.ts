import type { RootContent } from "mdast";
import { joinWords } from "../base/format.ts";
import type { Figure, Interval, MetricName, SettingSummary, Summary } from "../contract/generated/types.ts";
import { bullets, heading } from "./markdown.ts";

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

const floorDefinitions: Record<FloorName, string> = {
  constant_box: "the constant box that fits train best",
  whole_image: "the whole image",
  image_only: "the image-only baseline (the best configuration with an empty expression)",
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
    ...(best === undefined
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

/** The metrics that at least one of the configurations has. */
export function availableMetrics(settings: { figures: Figure[] }[], metrics: MetricName[]): MetricName[] {
  return metrics.filter((metric) => settings.some((setting) => figureOf(setting, metric) !== undefined));
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

/** The definitions that this report needs. */
export function definitions(summary: Summary): RootContent[] {
  const kinds = new Set(summary.settings.map(({ kind }) => kind));
  const floors = floorsOf(summary).map(({ name }) => floorDefinitions[name]);
  return [
    heading(2, "Definitions"),
    bullets([
      "A hit is a prediction with IoU >= 0.5: the highest-scoring box, clipped to the image, compared with the ground truth in pixels of the original image.",
      "Acc@t is the fraction of expressions with IoU >= t. Acc@0.5 is the main metric and equals Recall@1. mAcc is the mean of Acc@t over t = 0.5, 0.55, ..., 0.95.",
      "mIoU is the mean IoU. oIoU is the sum of intersections divided by the sum of unions.",
      "Recall@k is the fraction of expressions with a hit among the k highest-scoring boxes. Center accuracy is the fraction of expressions whose highest-scoring box has its center inside the ground truth.",
      "A minimal pair is two expressions for one image that differ in one word and have different ground truth. Pair accuracy is the fraction of pairs with a hit for both.",
      ...(kinds.has("baseline")
        ? [
            "A baseline is a detector that proposes boxes and CLIP, which ranks them by the expression. The score of a box is its softmax probability over the boxes of the image. Recall@k of a baseline counts boxes in the order of CLIP's scores; the table of boxes before ranking uses the detector's scores.",
          ]
        : []),
      ...(upperBounds(summary).size > 0
        ? [
            "An upper bound ranks the annotated boxes of all objects in the image: the result of its ranking with a perfect detector.",
          ]
        : []),
      `Baselines that ignore the expression, computed on ${summary.split}: ${joinWords(floors)}.`,
      kinds.has("cliprpn")
        ? "Checkpoints and configurations are selected on val."
        : "Configurations are selected on val.",
    ]),
  ];
}
