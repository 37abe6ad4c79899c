import { count, joinWords, percent } from "../base/format.ts";
import type { SettingSummary, Summary } from "../contract/generated/types.ts";
import { figureOf, floorNames } from "./figures.ts";
import { points, quoted, signed } from "./points.ts";

/** The one-sentence answer: what is best on val, by how much on the split, and whether the data can tell. */
export function verdict(summary: Summary): string {
  const [best] = summary.settings;
  const figure = best === undefined ? undefined : figureOf(best, "acc_at_50");
  if (best === undefined || figure === undefined) return "No trial is complete, so there is no answer yet.";
  const { mean, low, high } = figure.interval;
  const reached = `Acc@0.5 of ${percent(mean)} (${points(low)} to ${points(high)}) on ${summary.split}`;
  if (summary.settings.every(findsNothing))
    return `No setting finds anything: Acc@0.5 is 0.0 % on ${summary.split}.`;
  return `${standing(best, reached, summary)}${aboveFloors(summary, low)}.`;
}

function findsNothing(setting: SettingSummary): boolean {
  return figureOf(setting, "acc_at_50")?.interval.mean === 0;
}

/** A comparison, and what it allows to say: an interval of one sign, and with several seeds the same order with each of them. */
export interface Judged {
  against: string;
  difference: { mean: number; low: number; high: number };
  /** Seeds with which the best is ahead, of those that both ran with; a baseline's one run stands for every seed. */
  ahead: number;
  seeds: number;
  clear: boolean;
}

export function judged({ settings, comparisons }: Summary): Judged[] {
  const named = (label: string) => settings.find((setting) => setting.label === label);
  return comparisons.map(({ label, against, difference }) => {
    const pairs = seedPairs(named(label), named(against));
    const ahead = pairs.filter(([own, other]) => own > other).length;
    return {
      against,
      difference,
      ahead,
      seeds: pairs.length,
      clear: difference.low > 0 && ahead === pairs.length,
    };
  });
}

/** Acc@0.5 of both, seed by seed; none where neither is trained. */
function seedPairs(one: SettingSummary | undefined, other: SettingSummary | undefined): [number, number][] {
  if (one === undefined || other === undefined) return [];
  const trained = one.kind === "baseline" ? other : one;
  if (trained.kind === "baseline") return [];
  return seedsOf(trained).flatMap((seed): [number, number][] => {
    const [own, theirs] = [valueWith(one, seed), valueWith(other, seed)];
    return own === undefined || theirs === undefined ? [] : [[own, theirs]];
  });
}

function seedsOf(setting: SettingSummary): number[] {
  return (figureOf(setting, "acc_at_50")?.per_seed ?? []).map(({ seed }) => seed);
}

function valueWith(setting: SettingSummary, seed: number): number | undefined {
  const runs = figureOf(setting, "acc_at_50")?.per_seed ?? [];
  const run = setting.kind === "baseline" ? runs[0] : runs.find((each) => each.seed === seed);
  return run?.value;
}

function standing({ label: best, proposals }: SettingSummary, reached: string, summary: Summary): string {
  const label = quoted(best);
  const others = judged(summary);
  const [nearest] = [...others].sort((a, b) => a.difference.mean - b.difference.mean);
  if (nearest === undefined) {
    const rest =
      proposals === null
        ? "there is no other setting to compare it with"
        : `a hit is among its boxes for ${percent(proposals.best_proposal.mean)} of the sentences`;
    return `${label} reaches an ${reached}; ${rest}`;
  }
  const rival = quoted(nearest.against);
  const { mean, low, high } = nearest.difference;
  const gap = `${signed(mean)} points (${signed(low)} to ${signed(high)})`;
  const open = others.filter(({ clear }) => !clear);
  const chosenOnVal = summary.split !== "val";
  const lead = chosenOnVal
    ? `${label}, chosen on val, reaches an ${reached}`
    : `${label} leads with an ${reached}`;
  if (open.length === 0 && chosenOnVal) {
    const next = nearest.against === summary.settings[1]?.label ? "the next best on val" : "the nearest";
    return `${lead}: ${gap} over ${next}, ${rival}${oneSeed(summary)}`;
  }
  if (open.length === 0) {
    const next = others.length === 1 ? rival : `the next best, ${rival}`;
    return `${label} grounds best, with an ${reached}: ${gap} over ${next}${oneSeed(summary)}`;
  }
  const ahead = others.filter(({ difference }) => difference.high < 0);
  if (ahead.length > 0) {
    const most = ahead.length === 1 ? gap : `the most ${rival}, ${gap}`;
    return `${lead}, but ${named(ahead)} ${ahead.length === 1 ? "is" : "are"} ahead of it there: ${most}${oneSeed(summary)}`;
  }
  const detail = open.length === 1 ? gap : `the ${mean < 0 ? "highest" : "nearest"} is ${rival}, ${gap}`;
  return `${lead}, but ${unclear(open, named(open), summary)}: ${detail}${oneSeed(summary)}`;
}

function named(settings: Judged[]): string {
  return settings.length > 3
    ? `${settings.length} other settings`
    : joinWords(settings.map(({ against }) => quoted(against)));
}

function oneSeed({ settings }: Summary): string {
  const trained = settings.filter(({ kind }) => kind === "cliprpn");
  if (trained.length === 0 || trained.some(({ trial_ids }) => trial_ids.length > 1)) return "";
  return `; with one seed${trained.length > 1 ? " each" : ""}, luck of the seed is not ruled out`;
}

/** Why the order is open: by the images, or by the seeds alone. */
function unclear(open: Judged[], names: string, { num_images }: Summary): string {
  return open.every(({ difference }) => difference.low > 0)
    ? `it is not ahead of ${names} with every seed`
    : `these ${count(num_images)} images cannot tell it apart from ${names}`;
}

/** A best setting that is no better than an answer without understanding has to say so. */
function aboveFloors({ floors }: Summary, low: number): string {
  const [highest] = [...floors].sort((a, b) => b.acc_at_50.mean - a.acc_at_50.mean);
  if (highest === undefined || low > highest.acc_at_50.mean) return "";
  return `; it is not clearly above the floor (${floorNames[highest.name]}, ${points(highest.acc_at_50.mean)} %)`;
}
