import type { RootContent } from "mdast";
import { count, percent } from "../../base/format.ts";
import type { Remark, Summary } from "../../contract/generated/types.ts";
import { groupName, subsetKey } from "../figures.ts";
import { bullets, heading, longTable, paragraph } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { plainInterval, signedInterval } from "../points.ts";
import { rowNoun } from "../wording.ts";

/** Where the best on val is behind another configuration, or below same-category chance. */
export function losses(summary: Summary): RootContent[] {
  const { best, remarks } = summary.verdict;
  const behind = remarks.filter((remark) => remark.kind === "behind");
  const below = remarks.filter((remark) => remark.kind === "below_chance");
  const tested = summary.subset_comparisons.some(({ label }) => label === best);
  if (!tested && below.length === 0) return [];
  const name = quoteLabel(best);
  return [
    heading(2, tested ? `Where ${name} is behind` : `Where ${name} is below chance`),
    ...behindTable(summary, behind, tested),
    ...belowChance(summary, below),
  ];
}

type Behind = Extract<Remark, { kind: "behind" }>;
type BelowChance = Extract<Remark, { kind: "below_chance" }>;

function behindTable(
  { verdict: { best }, subsets, settings }: Summary,
  found: Behind[],
  tested: boolean,
): RootContent[] {
  const name = quoteLabel(best);
  const noun = rowNoun(settings);
  if (found.length === 0)
    return tested ? [paragraph(`${name} is not significantly behind another ${noun} in any subset.`)] : [];
  const sizes = new Map(
    subsets.map(({ by, group, num_sentences }) => [subsetKey({ by, group }), num_sentences] as const),
  );
  return [
    paragraph(
      `Subsets where ${name} is significantly behind another ${noun} (Holm over subsets and ${noun}s). Differences in Acc@0.5, in points.`,
    ),
    ...longTable(
      ["subset", `${noun} ahead`, "expressions", `difference of ${name}`],
      found
        .toSorted((a, b) => a.difference.mean - b.difference.mean)
        .map((each) => [
          groupName(each),
          each.against,
          count(sizes.get(subsetKey(each)) ?? 0),
          signedInterval(each.difference),
        ]),
      2,
    ),
  ];
}

function belowChance({ verdict, split }: Summary, found: BelowChance[]): RootContent[] {
  if (found.length === 0) return [];
  return [
    paragraph(
      `${quoteLabel(verdict.best)} is significantly below same-category chance in these places: a random object of the category would be right more often.`,
    ),
    bullets(
      found.map(({ by, group, acc_at_50, chance }) => {
        const where = by === null || group === null ? `${split} as a whole` : groupName({ by, group });
        return `${where}: ${plainInterval(acc_at_50, " %")} against ${percent(chance)}`;
      }),
    ),
  ];
}
