import type { Interval, MetricName, Summary } from "../../contract/generated/types.ts";
import { figureOf, metricTitles } from "../figures.ts";
import { negated } from "../points.ts";
import type { ConditionFigures } from "./condition-figures.ts";
import type { Step } from "./parse-condition.ts";

/** A value of a report that a condition can name. */
export type Quantity =
  | { type: "number"; read: (figures: ConditionFigures) => number | null | undefined }
  | { type: "text"; values: readonly string[]; read: (figures: ConditionFigures) => string | null };

/** What is known before the trials run. */
export interface KnownNames {
  /** Labels of the configurations. */
  labels: readonly string[];
  /** The declared baseline. */
  baseline: string | undefined;
  /** True if there are figures of a primary endpoint over several splits. */
  hasPrimary?: boolean;
}

/** All names, for messages. Accuracies are in percent, and differences in percentage points, as in the report. */
export const quantityNames = [
  'best, rival, baseline, setting("LABEL"): .METRIC.mean, .METRIC.low, .METRIC.high, .seed_sd, .num_seeds, .num_planned_seeds, .rank.low, .rank.high',
  'difference (the best minus the nearest rival), difference("LABEL") (the best minus LABEL), difference("A", "B") (A minus B): .acc_at_50.mean, .acc_at_50.low, .acc_at_50.high, .p_value, .p_adjusted, .detectable',
  "verdict.case, verdict.best, verdict.rival, num_sentences, num_images, chance.acc_at_50",
  "primary. before any of these: over several splits, the primary endpoint (acc_at_50 only); without it, each split of a comparison, or the split of a sweep's report",
  `METRIC: ${Object.keys(metricTitles).join(", ")}`,
].join("\n  ");

/** The quantity of a path; undefined if there is none of this name. */
export function quantityOf(steps: readonly Step[], known: KnownNames): Quantity | undefined {
  const [root, ...rest] = steps;
  if (root === undefined || rest.some(({ args }) => args.length > 0)) return undefined;
  const path = rest.map(({ name }) => name).join(".");
  const { name, args } = root;
  if (args.some((label) => !known.labels.includes(label))) return undefined;
  if (name === "difference") return args.length > 2 ? undefined : differenceQuantity(args, path);
  if (name === "setting") return args.length === 1 ? settingQuantity(() => args[0], path) : undefined;
  if (args.length > 0) return undefined;
  if (name === "best") return settingQuantity(({ verdict }) => verdict.best, path);
  if (name === "rival") return settingQuantity(({ verdict }) => verdict.rival, path);
  if (name === "baseline")
    return known.baseline === undefined ? undefined : settingQuantity(() => known.baseline, path);
  return otherQuantity([name, ...rest.map((step) => step.name)].join("."), known);
}

function settingQuantity(
  labelOf: (figures: ConditionFigures) => string | null | undefined,
  path: string,
): Quantity | undefined {
  const setting = (figures: ConditionFigures): ConditionFigures["settings"][number] | undefined =>
    figures.settings.find(({ label }) => label === labelOf(figures));
  const number = (
    read: (of: ConditionFigures["settings"][number]) => number | null | undefined,
  ): Quantity => ({
    type: "number",
    read: (figures) => {
      const found = setting(figures);
      return found === undefined ? undefined : read(found);
    },
  });
  switch (path) {
    case "seed_sd":
      return number(({ seed_sd }) => hundredfold(seed_sd));
    case "num_seeds":
      return number(({ num_seeds }) => num_seeds);
    case "num_planned_seeds":
      return number(({ num_planned_seeds }) => num_planned_seeds);
    case "rank.low":
      return number(({ rank }) => rank?.low);
    case "rank.high":
      return number(({ rank }) => rank?.high);
  }
  const [metric, bound, ...more] = path.split(".");
  const read = bounds.get(bound ?? "");
  if (metric === undefined || !metrics.has(metric) || read === undefined || more.length > 0) return undefined;
  return number((found) => {
    const interval = figureOf(found, metric as MetricName)?.interval;
    return interval === undefined ? undefined : hundredfold(read(interval));
  });
}

const metrics = new Set(Object.keys(metricTitles));
const bounds = new Map<string, (interval: Interval) => number | null>([
  ["mean", ({ mean }) => mean],
  ["low", ({ low }) => low],
  ["high", ({ high }) => high],
]);

function differenceQuantity(args: readonly string[], path: string): Quantity | undefined {
  const comparison = (figures: ConditionFigures): ConditionFigures["comparisons"][number] | undefined => {
    const { best, rival } = figures.verdict;
    const [label, against] = args.length === 2 ? args : [best, args[0] ?? rival];
    for (const each of figures.comparisons) {
      if (each.label === label && each.against === against) return each;
      if (each.label === against && each.against === label)
        return { ...each, label, against, difference: negated(each.difference) };
    }
    return undefined;
  };
  const number = (read: (of: ConditionFigures["comparisons"][number]) => number | null): Quantity => ({
    type: "number",
    read: (figures) => {
      const found = comparison(figures);
      return found === undefined ? undefined : read(found);
    },
  });
  switch (path) {
    case "p_value":
      return number(({ p_value }) => p_value);
    case "p_adjusted":
      return number(({ p_adjusted }) => p_adjusted);
    case "detectable":
      return number(({ detectable }) => hundredfold(detectable));
  }
  const [metric, bound, ...more] = path.split(".");
  const read = bounds.get(bound ?? "");
  if (metric !== "acc_at_50" || read === undefined || more.length > 0) return undefined;
  return number(({ difference }) => hundredfold(read(difference)));
}

function otherQuantity(path: string, { labels }: KnownNames): Quantity | undefined {
  switch (path) {
    case "verdict.case":
      return { type: "text", values: cases, read: ({ verdict }) => verdict.case };
    case "verdict.best":
      return { type: "text", values: labels, read: ({ verdict }) => verdict.best };
    case "verdict.rival":
      return { type: "text", values: labels, read: ({ verdict }) => verdict.rival };
    case "num_sentences":
      return { type: "number", read: ({ num_sentences }) => num_sentences };
    case "num_images":
      return { type: "number", read: ({ num_images }) => num_images };
    case "chance.acc_at_50":
      return { type: "number", read: ({ chance_acc_at_50 }) => hundredfold(chance_acc_at_50) };
    default:
      return undefined;
  }
}

const cases = Object.keys({
  one_setting: true,
  few_images: true,
  no_hit: true,
  checkpoints: true,
  same_answers: true,
  outperforms: true,
  behind: true,
  equivalent: true,
  mixed: true,
  no_difference: true,
} satisfies Record<Summary["verdict"]["case"], true>);

/** Without the noise of the arithmetic: 57, not 56.99999999999999. */
function hundredfold(fraction: number | null): number | null {
  return fraction === null ? null : Math.round(fraction * 1e12) / 1e10;
}
