import { count, joinWords, percent } from "../base/format.ts";
import type { Interval, SettingSummary, Summary } from "../contract/generated/types.ts";
import { figureOf, floorNames } from "./figures.ts";
import { points, signedPoints } from "./points.ts";
import { quoteLabel } from "./report-input.ts";

/** The result in a few sentences: the best configuration on val, its lead on the split, and whether the data support it. */
export function verdict(summary: Summary): string {
  const [best] = summary.settings;
  const figure = best === undefined ? undefined : figureOf(best, "acc_at_50");
  if (best === undefined || figure === undefined) return "No trial is complete, so there is no result yet.";
  if (summary.settings.every(hasNoHit))
    return `No configuration has a hit: Acc@0.5 is 0.0 % on ${summary.split}.`;
  const { mean, low, high } = figure.interval;
  const accuracy = `an Acc@0.5 of ${percent(mean)} (${points(low)} to ${points(high)}) on ${summary.split}`;
  return [
    describeBest(best, accuracy, summary),
    ...warnOneSeed(summary),
    ...warnNearFloor(best, low, summary),
  ]
    .map((sentence) => `${sentence}.`)
    .join(" ");
}

function hasNoHit(setting: SettingSummary): boolean {
  return figureOf(setting, "acc_at_50")?.interval.mean === 0;
}

function describeBest({ label, proposals }: SettingSummary, accuracy: string, summary: Summary): string {
  const best = quoteLabel(label);
  const judged = judgeComparisons(summary);
  const [nearest] = [...judged].sort((a, b) => a.difference.mean - b.difference.mean);
  if (nearest === undefined) {
    const rest =
      proposals === null
        ? "no other configuration was run for comparison"
        : `its boxes contain a hit for ${percent(proposals.best_proposal.mean)} of the expressions`;
    return `${best} reaches ${accuracy}; ${rest}`;
  }
  const selectedOnVal = summary.split !== "val";
  const rival = quoteLabel(nearest.against);
  const { mean, low, high } = nearest.difference;
  const gap = `${signedPoints(mean)} points (${signedPoints(low)} to ${signedPoints(high)})`;
  const unclear = judged.filter(({ clear }) => !clear);
  if (unclear.length === 0 && selectedOnVal) {
    const next = nearest.against === summary.settings[1]?.label ? "the next best on val" : "the closest";
    return `${best}, selected on val, reaches ${accuracy}: ${gap} over ${next}, ${rival}`;
  }
  if (unclear.length === 0) {
    const next = judged.length === 1 ? rival : `the next best, ${rival}`;
    return `${best} grounds best, with ${accuracy}: ${gap} over ${next}`;
  }
  const lead = selectedOnVal
    ? `${best}, selected on val, reaches ${accuracy}`
    : `${best} leads with ${accuracy}`;
  const better = judged.filter(({ difference }) => difference.high < 0);
  if (better.length > 0) {
    const verb = better.length === 1 ? "is" : "are";
    const most = better.length === 1 ? gap : `the largest difference is to ${rival}, ${gap}`;
    return `${lead}, but ${nameAll(better)} ${verb} better on ${summary.split}: ${most}`;
  }
  const detail = unclear.length === 1 ? gap : `the ${mean < 0 ? "highest" : "closest"} is ${rival}, ${gap}`;
  return `${lead}, but ${explainUnclear(unclear, summary)}: ${detail}`;
}

/** A comparison of the best configuration with another one, and whether it is clearly better. */
export interface JudgedComparison {
  against: string;
  difference: Interval;
  /** Number of seeds where the best is better, of the seeds that both ran with. */
  seedsAhead: number;
  numSeeds: number;
  /** The interval lies above 0, and the best is better with every seed. */
  clear: boolean;
}

export function judgeComparisons({ settings, comparisons }: Summary): JudgedComparison[] {
  const byLabel = new Map(settings.map((setting) => [setting.label, setting]));
  return comparisons.map(({ label, against, difference }) => {
    const pairs = pairBySeed(byLabel.get(label), byLabel.get(against));
    const seedsAhead = pairs.filter(([best, rival]) => best > rival).length;
    const clear = difference.low > 0 && seedsAhead === pairs.length;
    return { against, difference, seedsAhead, numSeeds: pairs.length, clear };
  });
}

/** Acc@0.5 of both, seed by seed; a baseline's single run is paired with every seed. Empty if neither is trained. */
function pairBySeed(a: SettingSummary | undefined, b: SettingSummary | undefined): [number, number][] {
  if (a === undefined || b === undefined) return [];
  const trained = a.kind === "baseline" ? b : a;
  if (trained.kind === "baseline") return [];
  const seeds = (figureOf(trained, "acc_at_50")?.per_seed ?? []).map(({ seed }) => seed);
  return seeds.flatMap((seed): [number, number][] => {
    const [value_a, value_b] = [valueWithSeed(a, seed), valueWithSeed(b, seed)];
    return value_a === undefined || value_b === undefined ? [] : [[value_a, value_b]];
  });
}

function valueWithSeed(setting: SettingSummary, seed: number): number | undefined {
  const runs = figureOf(setting, "acc_at_50")?.per_seed ?? [];
  return (setting.kind === "baseline" ? runs[0] : runs.find((run) => run.seed === seed))?.value;
}

/** The reason why there is no clear best: too few images, or only the seeds. */
function explainUnclear(unclear: JudgedComparison[], { num_images }: Summary): string {
  return unclear.every(({ difference }) => difference.low > 0)
    ? `it is not better than ${nameAll(unclear)} with every seed`
    : `these ${count(num_images)} images cannot distinguish it from ${nameAll(unclear)}`;
}

function nameAll(comparisons: JudgedComparison[]): string {
  return comparisons.length > 3
    ? `${comparisons.length} other configurations`
    : joinWords(comparisons.map(({ against }) => quoteLabel(against)));
}

function warnOneSeed({ settings, comparisons }: Summary): string[] {
  const trained = settings.filter(({ kind }) => kind === "cliprpn");
  if (
    comparisons.length === 0 ||
    trained.length === 0 ||
    trained.some(({ trial_ids }) => trial_ids.length > 1)
  )
    return [];
  return [`With one seed${trained.length > 1 ? " each" : ""}, the variance between seeds is unknown`];
}

/** A best configuration that does not clearly beat the baselines without the expression has to say so. */
function warnNearFloor({ label }: SettingSummary, low: number, { floors }: Summary): string[] {
  const [highest] = [...floors].sort((a, b) => b.acc_at_50.mean - a.acc_at_50.mean);
  if (highest === undefined || low > highest.acc_at_50.mean) return [];
  const floor = `${floorNames[highest.name]}, ${points(highest.acc_at_50.mean)} %`;
  return [`${quoteLabel(label)} is not clearly better than ignoring the expression (${floor})`];
}
