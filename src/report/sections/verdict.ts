import { counted, percent } from "../../base/format.ts";
import { confidenceOf } from "../figures.ts";
import { nameLabels, quoteLabel } from "../names.ts";
import { plainRange, points } from "../points.ts";
import { dataNames, type VerdictInput } from "../report-input.ts";
import { missingAnswers } from "./answers.ts";
import { protocolRemarks } from "./protocol.ts";
import { reviewedRemark } from "./reviewed.ts";
import { factsOfSummary, type VerdictFacts } from "./verdict-facts.ts";
import { accuracy, basis, behind, difference, intervalOf, lead, nearestOf } from "./verdict-phrases.ts";
import { remarks } from "./verdict-remarks.ts";

/** The result in a few sentences: `facts.decided` has decided what the data support, this words it. */
export function verdict(input: VerdictInput): string {
  const { summary, comparison } = input;
  const { best, rival } = summary.verdict;
  return [
    ...verdictSentences(factsOf(input)),
    ...remarks(input),
    ...reviewedRemark(summary),
    ...missingRemark(input),
    ...protocolRemarks(comparison, [best, rival]),
  ]
    .map((sentence) => `${sentence}.`)
    .join(" ");
}

/** In a comparison, other datasets may have a split of the same name. */
function factsOf({ summary, comparison, dataset }: VerdictInput): VerdictFacts {
  return comparison === undefined
    ? factsOfSummary(summary)
    : factsOfSummary(summary, `${dataset.name} ${summary.split}`);
}

/** A rival that may be behind only because answers of it are missing. */
function missingRemark(input: VerdictInput): string[] {
  const { beaten } = input.summary.verdict;
  const facts = factsOf(input);
  const uncertain = beaten.filter((label) => {
    const gap = facts.pairs.find(({ against }) => against === label)?.difference.mean ?? 0;
    return missingAnswers(input.comparison, label, dataNames(input)) >= gap;
  });
  const [first] = uncertain;
  if (first === undefined) return [];
  const missing = missingAnswers(input.comparison, first, dataNames(input));
  return [
    uncertain.length === 1
      ? `${percent(missing)} of the answers of ${quoteLabel(first)} are missing or have no box, which alone could make this difference`
      : `Missing answers and answers without a box alone could make the differences to ${nameLabels(uncertain)}`,
  ];
}

/** Without their periods. */
export function verdictSentences(facts: VerdictFacts): string[] {
  const { decided, place, where, num_images, noun } = facts;
  const { best: label, beaten, open, ahead } = decided;
  const best = quoteLabel(label);
  switch (decided.case) {
    case "no_hit":
      return [`No ${noun} has a hit: Acc@0.5 is 0.0 % ${place}`];
    case "few_images":
      return [
        `${best} reaches an Acc@0.5 of ${accuracy(facts, label)} ${place}; ${counted(num_images, "image")} are too few to compare ${noun}s`,
      ];
    case "one_setting":
      return [reached(facts)];
    case "checkpoints": {
      const single = singleSeeds(facts);
      return [
        `These checkpoints: ${checkpoints(facts)}`,
        // Otherwise the first sentence names the nearest of all.
        ...(open.length > 0 && beaten.length > 0 ? [`${best} is ahead of ${nameLabels(beaten)}`] : []),
        ...(single === "" ? [] : [`With ${single}, this says nothing about training again`]),
      ];
    }
    case "same_answers": {
      const same = facts.pairs.filter(({ same_answers }) => same_answers);
      const labels = same.map(({ against }) => against);
      return [
        `${best} and ${nameLabels(labels)} have the same hits on ${where}, with an Acc@0.5 of ${accuracy(facts, label)}`,
        ...rest(best, {
          beaten,
          open: open.filter((each) => !labels.includes(each)),
        }),
        ...(ahead.length > 0 ? [`${best} is behind ${nameLabels(ahead)}`] : []),
      ];
    }
    case "outperforms": {
      const rival = nearestOf(facts, beaten);
      return [`${best} outperforms ${lead(facts, rival, beaten.length)}${tooSmall(facts)}`];
    }
    case "behind": {
      const rival = nearestOf(facts, ahead);
      return [
        `${best}, selected on val, is behind ${behind(facts, rival)}`,
        ...(ahead.length > 1 ? [`It is also behind ${nameLabels(without(ahead, rival?.against))}`] : []),
        ...rest(best, { beaten, open }),
      ];
    }
    case "equivalent":
      return [
        `${best} and ${eachOf(open)} are equivalent within ${points(facts.smallest_difference ?? 0)} points Acc@0.5 ${place}${farthest(facts, open)}`,
        ...rest(best, { beaten, open: [] }),
      ];
    case "mixed":
    case "no_difference":
      return [noDifference(facts, open), ...rest(best, { beaten, open: [] })];
  }
}

/** Which configurations the first sentence did not name. */
function rest(best: string, { beaten, open }: { beaten: string[]; open: string[] }): string[] {
  return [
    ...(beaten.length > 0 ? [`${best} outperforms ${nameLabels(beaten)}`] : []),
    ...(open.length > 0 ? [`No significant difference between ${best} and ${eachOf(open)}`] : []),
  ];
}

function without(labels: string[], label: string | null | undefined): string[] {
  return labels.filter((each) => each !== label);
}

/** The only configuration. */
function reached(facts: VerdictFacts): string {
  const { best } = facts.decided;
  const { low = null, high = null } = intervalOf(facts, best) ?? {};
  const evidence =
    low === null || high === null
      ? ""
      : ` (${confidenceOf(facts)} CI ${plainRange({ low, high })}; ${basis(facts, [best])})`;
  const again = needsSeeds(facts, best) ? "; with one seed, this says nothing about training again" : "";
  return `${quoteLabel(best)} reaches an Acc@0.5 of ${accuracy(facts, best)} ${facts.place}${evidence}; there is no other ${facts.noun} to compare it with${again}`;
}

function checkpoints(facts: VerdictFacts): string {
  const { best, beaten, open, ahead } = facts.decided;
  const behindOf = nearestOf(facts, ahead);
  if (behindOf !== undefined)
    return `${quoteLabel(best)}, selected on val, is behind ${behind(facts, behindOf)}`;
  const same = facts.pairs.find(({ same_answers }) => same_answers);
  if (same !== undefined)
    return `${quoteLabel(best)} and ${quoteLabel(same.against)} have the same hits on ${facts.where}`;
  if (open.length > 0) return noDifference(facts, open).replace(/^N/, "n");
  return `${quoteLabel(best)} is ahead of ${lead(facts, nearestOf(facts, beaten), beaten.length)}`;
}

function tooSmall({ decided: { possibly_too_small }, smallest_difference }: VerdictFacts): string {
  return possibly_too_small
    ? `, by possibly less than the ${points(smallest_difference ?? 0)} points that matter`
    : "";
}

function noDifference(facts: VerdictFacts, open: string[]): string {
  const nearest = nearestOf(facts, open);
  const start = `No significant difference in Acc@0.5 ${facts.place} between ${quoteLabel(facts.decided.best)} and ${eachOf(open)}`;
  if (nearest === undefined) return start;
  const word = nearest.difference.mean < 0 ? "highest" : "nearest";
  const which = open.length > 1 ? `; the ${word} is ${quoteLabel(nearest.against)}` : "";
  const { detectable } = nearest;
  const effect = detectable === null ? "" : `, minimum detectable effect ${points(detectable)} points`;
  return `${start}${which} (${difference(facts, nearest)}${effect})`;
}

/** " (61.0 % against 59.9 %, ...)" of the rival with the largest difference, which is named if there are several. */
function farthest(facts: VerdictFacts, labels: string[]): string {
  const [last] = facts.pairs
    .filter(({ against }) => labels.includes(against))
    .toSorted((a, b) => Math.abs(b.difference.mean) - Math.abs(a.difference.mean));
  const name = labels.length > 1 ? `; the largest difference is to ${quoteLabel(last?.against ?? "")}` : "";
  return `${name} (${difference(facts, last)})`;
}

/** "each of film and token", as they are not compared with each other. */
function eachOf(labels: string[]): string {
  return `${labels.length > 1 ? "each of " : ""}${nameLabels(labels)}`;
}

/** "one seed of film and token"; "one seed each" if that holds for all; nothing if none has. */
function singleSeeds({ rows }: VerdictFacts): string {
  const trained = rows.filter(({ kind }) => kind === "cliprpn");
  const single = trained.filter(({ num_runs }) => num_runs < 2).map(({ label }) => label);
  const areAll = single.length === trained.length && !rows.some(({ kind }) => kind === "results");
  if (single.length === 0) return "";
  return areAll ? "one seed each" : `one seed of ${nameLabels(single)}`;
}

function needsSeeds({ rows }: VerdictFacts, label: string): boolean {
  const row = rows.find((each) => each.label === label);
  return row?.kind === "cliprpn" && row.num_runs < 2;
}
