import { counted } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import { confidenceOf, settingOf } from "../figures.ts";
import { nameLabels, quoteLabel } from "../names.ts";
import { plainRange, points } from "../points.ts";
import type { VerdictInput } from "../report-input.ts";
import {
  accuracy,
  basis,
  behind,
  comparisonsOfBest,
  difference,
  intervalOf,
  lead,
  nearestOf,
} from "./verdict-phrases.ts";
import { remarks } from "./verdict-remarks.ts";

/** The result in a few sentences: `summary.verdict` has decided what the data support, this words it. */
export function verdict(input: VerdictInput): string {
  return [...sentences(input.summary), ...remarks(input)].map((sentence) => `${sentence}.`).join(" ");
}

function sentences(summary: Summary): string[] {
  const { verdict: decided, split, num_images } = summary;
  const { best: label, beaten, open, ahead } = decided;
  const best = quoteLabel(label);
  const metric = `Acc@0.5 on ${split}`;
  switch (decided.case) {
    case "no_hit":
      return [`No configuration has a hit: Acc@0.5 is 0.0 % on ${split}`];
    case "few_images":
      return [
        `${best} reaches an Acc@0.5 of ${accuracy(summary, label)} on ${split}; ${counted(num_images, "image")} are too few to compare configurations`,
      ];
    case "one_setting":
      return [reached(summary)];
    case "checkpoints":
      return [
        `These checkpoints: ${checkpoints(summary)}`,
        // Otherwise the first sentence names the nearest of all.
        ...(open.length > 0 && beaten.length > 0 ? [`${best} is ahead of ${nameLabels(beaten)}`] : []),
        `With ${singleSeeds(summary)}, this says nothing about training again`,
      ];
    case "same_answers": {
      const same = comparisonsOfBest(summary).filter(({ same_answers }) => same_answers);
      const labels = same.map(({ against }) => against);
      return [
        `${best} and ${nameLabels(labels)} have the same hits on ${split}, with an Acc@0.5 of ${accuracy(summary, label)}`,
        ...rest(best, {
          beaten,
          open: open.filter((each) => !labels.includes(each)),
        }),
        ...(ahead.length > 0 ? [`${best} is behind ${nameLabels(ahead)}`] : []),
      ];
    }
    case "outperforms": {
      const rival = nearestOf(summary, beaten);
      return [`${best} outperforms ${lead(summary, rival, beaten.length)}${tooSmall(summary)}`];
    }
    case "behind": {
      const rival = nearestOf(summary, ahead);
      return [
        `${best}, selected on val, is behind ${behind(summary, rival)}`,
        ...(ahead.length > 1 ? [`It is also behind ${nameLabels(without(ahead, rival?.against))}`] : []),
        ...rest(best, { beaten, open }),
      ];
    }
    case "equivalent":
      return [
        `${best} and ${eachOf(open)} are equivalent within ${points(summary.smallest_difference ?? 0)} points ${metric}${farthest(summary, open)}`,
        ...rest(best, { beaten, open: [] }),
      ];
    case "mixed":
    case "no_difference":
      return [noDifference(summary, open), ...rest(best, { beaten, open: [] })];
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
function reached(summary: Summary): string {
  const { best } = summary.verdict;
  const { low = null, high = null } = intervalOf(summary, best) ?? {};
  const evidence =
    low === null || high === null
      ? ""
      : ` (${confidenceOf(summary)} CI ${plainRange({ low, high })}; ${basis(summary, [best])})`;
  const again = needsSeeds(summary, best) ? "; with one seed, this says nothing about training again" : "";
  return `${quoteLabel(best)} reaches an Acc@0.5 of ${accuracy(summary, best)} on ${summary.split}${evidence}; there is no other configuration to compare it with${again}`;
}

function checkpoints(summary: Summary): string {
  const { best, beaten, open, ahead } = summary.verdict;
  const behindOf = nearestOf(summary, ahead);
  if (behindOf !== undefined)
    return `${quoteLabel(best)}, selected on val, is behind ${behind(summary, behindOf)}`;
  const same = comparisonsOfBest(summary).find(({ same_answers }) => same_answers);
  if (same !== undefined)
    return `${quoteLabel(best)} and ${quoteLabel(same.against)} have the same hits on ${summary.split}`;
  if (open.length > 0) return noDifference(summary, open).replace(/^N/, "n");
  return `${quoteLabel(best)} is ahead of ${lead(summary, nearestOf(summary, beaten), beaten.length)}`;
}

function tooSmall({ verdict: { possibly_too_small }, smallest_difference }: Summary): string {
  return possibly_too_small
    ? `, by possibly less than the ${points(smallest_difference ?? 0)} points that matter`
    : "";
}

function noDifference(summary: Summary, open: string[]): string {
  const nearest = nearestOf(summary, open);
  const start = `No significant difference in Acc@0.5 on ${summary.split} between ${quoteLabel(summary.verdict.best)} and ${eachOf(open)}`;
  if (nearest === undefined) return start;
  const word = nearest.difference.mean < 0 ? "highest" : "nearest";
  const which = open.length > 1 ? `; the ${word} is ${quoteLabel(nearest.against)}` : "";
  const { detectable } = nearest;
  const effect = detectable === null ? "" : `, minimum detectable effect ${points(detectable)} points`;
  return `${start}${which} (${difference(summary, nearest)}${effect})`;
}

/** " (61.0 % against 59.9 %, ...)" of the rival with the largest difference, which is named if there are several. */
function farthest(summary: Summary, labels: string[]): string {
  const [last] = comparisonsOfBest(summary)
    .filter(({ against }) => labels.includes(against))
    .toSorted((a, b) => Math.abs(b.difference.mean) - Math.abs(a.difference.mean));
  const name = labels.length > 1 ? `; the largest difference is to ${quoteLabel(last?.against ?? "")}` : "";
  return `${name} (${difference(summary, last)})`;
}

/** "each of film and token", as they are not compared with each other. */
function eachOf(labels: string[]): string {
  return `${labels.length > 1 ? "each of " : ""}${nameLabels(labels)}`;
}

/** "one seed of film and token"; "one seed each" if that holds for all that are trained. */
function singleSeeds({ settings }: Summary): string {
  const trained = settings.filter(({ kind }) => kind === "cliprpn");
  const single = trained.filter(({ seeds }) => seeds.length < 2).map(({ label }) => label);
  return single.length === trained.length ? "one seed each" : `one seed of ${nameLabels(single)}`;
}

function needsSeeds(summary: Summary, label: string): boolean {
  const setting = settingOf(summary, label);
  return setting?.kind === "cliprpn" && setting.seeds.length < 2;
}
