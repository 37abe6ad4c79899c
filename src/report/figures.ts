import type { Figure, Interval, MetricName, SettingSummary, Summary } from "../contract/generated/types.ts";

/** What a table's heading calls a figure. */
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
  pointing: "pointing",
  pair_accuracy: "pairs both right",
};

export function figureOf({ figures }: { figures: Figure[] }, metric: MetricName): Figure | undefined {
  return figures.find((figure) => figure.metric === metric);
}

/** Those of the metrics that any of the settings has. */
export function present(settings: { figures: Figure[] }[], metrics: MetricName[]): MetricName[] {
  return metrics.filter((metric) => settings.some((setting) => figureOf(setting, metric) !== undefined));
}

/** In place of a figure that does not exist. */
export const none = "–";

export const floorNames = {
  constant_box: "constant box",
  whole_picture: "whole image",
  blank_sentence: "blank sentence",
};

/** Settings that are given the annotated boxes: the summary compares them with nobody. */
export function ceilings({ settings: [best, ...others], comparisons }: Summary): Set<string> {
  const compared = new Set([best?.label, ...comparisons.map(({ against }) => against)]);
  return new Set(others.map(({ label }) => label).filter((label) => !compared.has(label)));
}

/** What becomes of a baseline's sentences; undefined for a ClipRPN, which ranks while it proposes. */
export function outcomesOf(setting: SettingSummary): Outcomes | undefined {
  const found = figureOf(setting, "acc_at_50")?.interval;
  if (setting.proposals === null || found === undefined) return undefined;
  const { lost_by_ranking, lost_by_proposals } = setting.proposals;
  return { found, lostByRanking: lost_by_ranking, lostByBoxes: lost_by_proposals };
}

/** Shares of the sentences, which add up to 1. */
export interface Outcomes {
  /** A hit is ranked first. */
  found: Interval;
  /** A hit is among the boxes, but another one is ranked first. */
  lostByRanking: Interval;
  /** No box is a hit. */
  lostByBoxes: Interval;
}
