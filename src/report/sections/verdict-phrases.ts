import type { Interval } from "../../contract/generated/types.ts";
import { confidenceOf } from "../figures.ts";
import { quoteLabel } from "../names.ts";
import { negated, plainRange, points, signedPoints, signedRange } from "../points.ts";
import { describeRuns } from "../wording.ts";
import type { VerdictFacts, VerdictPair } from "./verdict-facts.ts";

/** "token, the nearest of 4, by 2.1 points Acc@0.5 on val (95 % CI 0.9 to 3.3; 3 seeds, clustered by image): 61.0 % against 58.9 %". */
export function lead(facts: VerdictFacts, rival: VerdictPair | undefined, num_rivals: number): string {
  if (rival === undefined) return "";
  const nearest = num_rivals > 1 ? `, the nearest of ${num_rivals},` : "";
  return `${quoteLabel(rival.against)}${nearest} by ${gap(facts, rival, facts.place)}: ${accuracy(facts, rival.label)} against ${accuracy(facts, rival.against)}`;
}

export function behind(facts: VerdictFacts, rival: VerdictPair | undefined): string {
  if (rival === undefined) return "";
  const seen = { ...rival, difference: negated(rival.difference) };
  return `${quoteLabel(rival.against)} ${facts.place} by ${gap(facts, seen, "")}`;
}

function gap(facts: VerdictFacts, { label, against, difference: found }: VerdictPair, place: string): string {
  const { low, high, mean } = found;
  const metric = place === "" ? "Acc@0.5" : `Acc@0.5 ${place}`;
  const range =
    low === null || high === null ? "" : `${confidenceOf(facts)} CI ${plainRange({ low, high })}; `;
  return `${points(mean)} points ${metric} (${range}${basis(facts, [label, against])})`;
}

/** "61.0 % against 59.9 %, difference +1.1 points, 95 % CI −0.4 to +2.6; 3 seeds, clustered by image". */
export function difference(facts: VerdictFacts, pair: VerdictPair | undefined): string {
  if (pair === undefined) return "";
  const { label, against } = pair;
  const { mean, low, high } = pair.difference;
  const range =
    low === null || high === null ? "" : `, ${confidenceOf(facts)} CI ${signedRange({ low, high })}`;
  const both = `${accuracy(facts, label)} against ${accuracy(facts, against)}`;
  return `${both}, difference ${signedPoints(mean)} points${range}; ${basis(facts, [label, against])}`;
}

/** "3 seeds, clustered by image"; a baseline has no seeds. */
export function basis({ rows, clustered }: VerdictFacts, labels: string[]): string {
  const named = labels.flatMap((label) => rows.find((row) => row.label === label) ?? []);
  return `${describeRuns(named)}, ${clustered}`;
}

/** Of some rivals, the one that is least behind or most ahead. */
export function nearestOf({ pairs }: VerdictFacts, labels: string[]): VerdictPair | undefined {
  const wanted = new Set(labels);
  return pairs
    .filter(({ against }) => wanted.has(against))
    .toSorted((a, b) => a.difference.mean - b.difference.mean)[0];
}

export function accuracy(facts: VerdictFacts, label: string): string {
  const interval = intervalOf(facts, label);
  return interval === undefined ? "" : `${points(interval.mean)} %`;
}

export function intervalOf({ rows }: VerdictFacts, label: string): Interval | undefined {
  return rows.find((row) => row.label === label)?.accuracy;
}
