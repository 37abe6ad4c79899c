import type { Figure, MetricName } from "../contract/generated/types.ts";

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
