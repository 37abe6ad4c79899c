import type { Interval, Summary, Verdict } from "../../contract/generated/types.ts";
import { figureOf } from "../figures.ts";
import { type RowNoun, type Runs, rowNoun, runsOf } from "../wording.ts";

/** What the sentences of a verdict are worded from: the figures on one split, or the primary endpoint over several. */
export interface VerdictFacts {
  decided: Verdict;
  /** Follows a figure: "on val", "averaged over mine test and testA". */
  place: string;
  /** Follows "on": "val". */
  where: string;
  noun: RowNoun;
  /** "clustered by image". */
  clustered: string;
  confidence: number;
  smallest_difference: number | null;
  num_images: number;
  /** Acc@0.5 of each, upper bounds included. */
  rows: (Runs & { is_upper_bound: boolean; accuracy: Interval | undefined })[];
  /** The best with each other one. */
  pairs: VerdictPair[];
}

/** The best, `label`, compared with another. */
export interface VerdictPair {
  label: string;
  against: string;
  difference: Interval;
  detectable: number | null;
  same_answers: boolean;
}

/** @param where the split, with its dataset where there are several. */
export function factsOfSummary(summary: Summary, where: string = summary.split): VerdictFacts {
  const { verdict: decided, confidence, smallest_difference, num_images, settings } = summary;
  return {
    decided,
    place: `on ${where}`,
    where,
    noun: rowNoun(settings),
    clustered: "clustered by image",
    confidence,
    smallest_difference,
    num_images,
    rows: settings.map((setting) => ({
      ...runsOf(setting),
      is_upper_bound: setting.is_upper_bound,
      accuracy: figureOf(setting, "acc_at_50")?.interval,
    })),
    pairs: summary.comparisons.filter(({ label }) => label === decided.best),
  };
}
