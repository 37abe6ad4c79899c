import type { SettingSummary, Summary } from "../contract/generated/types.ts";
import { count } from "../count.ts";
import { floorNames } from "./charts.ts";
import { list, percent, points, signed } from "./format.ts";

/** The one-sentence answer: what is best on val, by how much on the split, and whether the data can tell. */
export function verdict(summary: Summary): string {
  const [best] = summary.settings;
  const figure = best?.figures.find(({ metric }) => metric === "acc_at_50");
  if (best === undefined || figure === undefined) return "No trial is complete, so there is no answer yet.";
  const { mean, low, high } = figure.interval;
  const reached = `Acc@0.5 of ${percent(mean)} (${points(low)} to ${points(high)}) on ${summary.split}`;
  if (summary.settings.every(findsNothing))
    return `No setting finds anything: Acc@0.5 is 0.0 % on ${summary.split}.`;
  return `${standing(best.label, reached, summary)}${aboveFloors(summary, low)}.`;
}

function findsNothing({ figures }: SettingSummary): boolean {
  return figures.find(({ metric }) => metric === "acc_at_50")?.interval.mean === 0;
}

/** A comparison, and what it allows to say: an interval of one sign, and with several seeds the same order with each of them. */
export interface Judged {
  against: string;
  difference: { mean: number; low: number; high: number };
  /** Seeds with which the best is ahead, of those that both ran with. */
  ahead: number;
  seeds: number;
  clear: boolean;
}

export function judged({ settings, comparisons }: Summary): Judged[] {
  const figures = (label: string): Map<number, number> =>
    new Map(
      settings
        .find((setting) => setting.label === label)
        ?.figures.find(({ metric }) => metric === "acc_at_50")
        ?.per_seed.map(({ seed, value }) => [seed, value]),
    );
  return comparisons.map(({ label, against, difference }) => {
    const [own, other] = [figures(label), figures(against)];
    const pairs = [...own].flatMap(([seed, value]) => {
      const theirs = other.get(seed);
      return theirs === undefined ? [] : [value > theirs];
    });
    const ahead = pairs.filter(Boolean).length;
    return {
      against,
      difference,
      ahead,
      seeds: pairs.length,
      clear: difference.low > 0 && ahead === pairs.length,
    };
  });
}

function standing(label: string, reached: string, summary: Summary): string {
  const others = judged(summary);
  const [nearest] = [...others].sort((a, b) => a.difference.mean - b.difference.mean);
  if (nearest === undefined)
    return `${label} reaches an ${reached}; there is no other setting to compare it with`;
  const { mean, low, high } = nearest.difference;
  const gap = `${signed(mean)} points (${signed(low)} to ${signed(high)})`;
  const open = others.filter(({ clear }) => !clear);
  const chosenOnVal = summary.split !== "val";
  const lead = chosenOnVal
    ? `${label}, chosen on val, reaches an ${reached}`
    : `${label} leads with an ${reached}`;
  if (open.length === 0 && chosenOnVal) {
    const next = nearest.against === summary.settings[1]?.label ? "the next best on val" : "the nearest";
    return `${lead}: ${gap} over ${next}, ${nearest.against}${oneSeed(summary)}`;
  }
  if (open.length === 0) {
    const next = others.length === 1 ? nearest.against : `the next best, ${nearest.against}`;
    return `${label} grounds best, with an ${reached}: ${gap} over ${next}${oneSeed(summary)}`;
  }
  const ahead = others.filter(({ difference }) => difference.high < 0);
  if (ahead.length > 0) {
    const most = ahead.length === 1 ? gap : `the most ${nearest.against}, ${gap}`;
    return `${lead}, but ${named(ahead)} ${ahead.length === 1 ? "is" : "are"} ahead of it there: ${most}${oneSeed(summary)}`;
  }
  const detail =
    open.length === 1 ? gap : `the ${mean < 0 ? "highest" : "nearest"} is ${nearest.against}, ${gap}`;
  return `${lead}, but ${unclear(open, named(open), summary)}: ${detail}${oneSeed(summary)}`;
}

function named(settings: Judged[]): string {
  return settings.length > 3
    ? `${settings.length} other settings`
    : list(settings.map(({ against }) => against));
}

function oneSeed({ settings }: Summary): string {
  return settings.every(({ trial_ids }) => trial_ids.length === 1)
    ? "; with one seed each, luck of the seed is not ruled out"
    : "";
}

/** Why the order is open: by the pictures, or by the seeds alone. */
function unclear(open: Judged[], names: string, { num_images }: Summary): string {
  return open.every(({ difference }) => difference.low > 0)
    ? `it is not ahead of ${names} with every seed`
    : `these ${count(num_images)} pictures cannot tell it apart from ${names}`;
}

/** A best setting that is no better than an answer without understanding has to say so. */
function aboveFloors({ floors }: Summary, low: number): string {
  const [highest] = [...floors].sort((a, b) => b.acc_at_50.mean - a.acc_at_50.mean);
  if (highest === undefined || low > highest.acc_at_50.mean) return "";
  return `; it is not clearly above the floor (${floorNames[highest.name]}, ${points(highest.acc_at_50.mean)} %)`;
}
