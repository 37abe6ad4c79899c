import { asSentence, counted, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type {
  Combined,
  CombinedComparison,
  Endpoint,
  StoredComparison,
} from "../../contract/generated/types.ts";
import { nameLabels, quoteLabel } from "../names.ts";
import { points } from "../points.ts";
import { protocolRemarks } from "../sections/protocol.ts";
import { verdictSentences } from "../sections/verdict.ts";
import type { VerdictFacts } from "../sections/verdict-facts.ts";
import { nearestOf } from "../sections/verdict-phrases.ts";
import { combinedRuns, rowNoun } from "../wording.ts";

/**
 * The result over several splits in a few sentences: `combined.verdict` has decided what the data support. Of a comparison, also
 * what differs between how the models were asked.
 */
export function combinedVerdict(combined: Combined, comparison: StoredComparison | undefined): string {
  const facts = factsOfCombined(combined, comparison);
  const { best, rival } = combined.verdict;
  return [
    ...verdictSentences(facts),
    ...aheadSentence(combined, facts),
    ...behindSentence(combined),
    ...otherColumns(combined),
    ...optimism(combined, facts),
    ...protocolRemarks(comparison, [best, rival]),
  ]
    .map(asSentence)
    .join(" ");
}

function factsOfCombined(combined: Combined, comparison: StoredComparison | undefined): VerdictFacts {
  const { verdict: decided, confidence, smallest_difference, num_images, settings } = combined;
  const primary = primaryEndpoints(combined);
  const where = nameEndpoints(primary);
  const num_datasets = new Set(primary.map(({ dataset_name }) => dataset_name)).size;
  return {
    decided,
    place: primary.length === 1 ? `on ${where}` : `averaged over ${where}`,
    where,
    noun: comparison === undefined ? rowNoun(settings) : "model",
    clustered: num_datasets > 1 ? "clustered by image across the datasets" : "clustered by image",
    confidence,
    smallest_difference,
    num_images,
    rows: combinedRuns(combined, comparison).map((runs, index) => ({
      ...runs,
      is_upper_bound: settings[index]?.is_upper_bound ?? false,
      accuracy: settings[index]?.primary ?? undefined,
    })),
    pairs: combined.comparisons.filter(({ label }) => label === decided.best),
  };
}

export function primaryEndpoints({ endpoints }: Combined): Endpoint[] {
  return endpoints.filter(({ in_primary }) => in_primary);
}

/** "refcoco-unc testA and testB and refcocog-umd test"; many are counted. */
export function nameEndpoints(endpoints: readonly Endpoint[]): string {
  if (endpoints.length > maxNamed) return `${endpoints.length} splits`;
  const byDataset = groupBy(endpoints, ({ dataset_name }) => dataset_name);
  return joinWords(
    [...byDataset].flatMap(([dataset_name, [first, ...others]]) => [
      `${dataset_name} ${first.split}`,
      ...others.map(({ split }) => split),
    ]),
  );
}

const maxNamed = 8;

/** "It is ahead of qwen on all 3 splits", of the rival that the verdict names. */
function aheadSentence(combined: Combined, facts: VerdictFacts): string[] {
  const { beaten, case: decided } = combined.verdict;
  const rival = nearestOf(facts, beaten)?.against;
  const pair = comparisonsOfBest(combined).find(({ against }) => against === rival);
  const num_primary = primaryEndpoints(combined).length;
  if (pair === undefined || decided === "checkpoints" || num_primary < 2) return [];
  const compared = pairEndpoints(combined, pair);
  const ahead = compared.filter(({ name }) => pair.ahead_on.includes(name));
  const who = `${quoteLabel(pair.label)} is ahead of ${quoteLabel(pair.against)}`;
  if (ahead.length === compared.length) return [`${who} on all ${compared.length} splits`];
  if (ahead.length === 0) return [`On none of the ${compared.length} splits alone, ${who}`];
  return [`${who} on ${ahead.length} of the ${compared.length} splits: ${nameEndpoints(ahead)}`];
}

/** Splits of the primary endpoint on which both have answers. */
function pairEndpoints({ endpoints }: Combined, { per_endpoint }: CombinedComparison): Endpoint[] {
  return endpoints.filter(({ in_primary }, index) => in_primary && (per_endpoint[index] ?? null) !== null);
}

/** Every split on which the best is behind a rival. */
function behindSentence(combined: Combined): string[] {
  const found = comparisonsOfBest(combined).filter(({ behind_on }) => behind_on.length > 0);
  const parts = found.slice(0, maxRivals).map(({ against, behind_on }) => {
    const behind = combined.endpoints.filter(({ name }) => behind_on.includes(name));
    return `${quoteLabel(against)} on ${nameEndpoints(behind)}`;
  });
  if (parts.length === 0) return [];
  const num_left = found.length - parts.length;
  const all = num_left > 0 ? [...parts, `${counted(num_left, "other")} on some splits`] : parts;
  return [`${quoteLabel(combined.verdict.best)} is behind ${joinWords(all)}`];
}

const maxRivals = 3;

function comparisonsOfBest({ comparisons, verdict }: Combined): CombinedComparison[] {
  return comparisons.filter(({ label }) => label === verdict.best);
}

/** What the verdict does not cover: columns outside the primary endpoint, and models without answers on all of it. */
function otherColumns(combined: Combined): string[] {
  const others = combined.endpoints.filter(({ in_primary }) => !in_primary);
  const partial = combined.settings.filter(({ primary }) => primary === null).map(({ label }) => label);
  return [
    ...(others.length === 0 ? [] : [`This does not include ${nameEndpoints(others)}`]),
    ...(partial.length === 0
      ? []
      : [
          `Without answers on all of these splits, ${nameLabels(partial)} ${partial.length === 1 ? "is" : "are"} not compared`,
        ]),
  ];
}

function optimism({ optimism: excess, verdict }: Combined, { rows }: VerdictFacts): string[] {
  const compared = rows.filter(({ is_upper_bound, accuracy }) => !is_upper_bound && accuracy !== undefined);
  if (excess === null || excess < 0.0005) return [];
  return [
    `Chosen on these images as the highest of ${compared.length}, the Acc@0.5 of ${quoteLabel(verdict.best)} is overestimated by about ${points(excess)} points`,
  ];
}
