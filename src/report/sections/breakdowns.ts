import type { RootContent } from "mdast";
import { count } from "../../base/format.ts";
import type { Interval, SettingSummary, SubsetSummary, Summary } from "../../contract/generated/types.ts";
import { figureOf, isSignificant, referenceOf, subsetKey } from "../figures.ts";
import { emphasis, heading, type Inline, images, longTable, paragraph } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { interval, noValue, points } from "../points.ts";
import type { ReportImage } from "../report-input.ts";
import { rowNoun } from "../wording.ts";

/** Accuracy and pair accuracy on each subset that the dataset defines, if it defines any. */
export function subsets(summary: Summary, chart: ReportImage | undefined, json: string): RootContent[] {
  const strata = summary.subsets.filter(({ by }) => by === "stratum");
  if (chart === undefined || strata.length === 0) return [];
  return [
    heading(2, "By subset"),
    images([chart]),
    paragraph(`${subsetNote(summary)} ${json} has all other metrics by subset.`),
    ...accuracyTable(summary, strata),
    ...pairTable(summary, strata),
  ];
}

/** Acc@0.5 by object size, expression length and number of distractors. */
export function otherBreakdowns(summary: Summary): RootContent[] {
  const blocks = titles.flatMap(([by, title]) => {
    const groups = summary.subsets.filter((subset) => subset.by === by);
    return groups.length > 0 ? [heading(3, title), ...accuracyTable(summary, groups)] : [];
  });
  if (blocks.length === 0) return [];
  const untested =
    summary.subset_comparisons.length === 0
      ? ""
      : " Terciles of this split are not tested, as they overlap the fixed ones.";
  return [heading(2, "Other breakdowns"), paragraph(`${subsetNote(summary)}${untested}`), ...blocks];
}

type By = SubsetSummary["by"];

const titles: [By, string][] = [
  [
    "area_tercile_refcocog",
    "By object area, in % of the image (the terciles of RefCOCOg, the same for all datasets)",
  ],
  ["area_tercile", "By object area, in % of the image (terciles of this split)"],
  ["sentence_length", "By number of words in the expression"],
  ["num_same_category", "By number of objects of the same category in the image"],
];

function subsetNote(summary: Summary): string {
  const start = "Acc@0.5 in %, with the number of expressions in the heading.";
  if (summary.subset_comparisons.length === 0) return start;
  return `${start} ↑ and ↓ are significantly above and below ${quoteLabel(referenceOf(summary))} (Holm over subsets and ${rowNoun(summary.settings)}s).`;
}

/** A row of same-category chance, then one of each configuration. */
function accuracyTable(summary: Summary, groups: SubsetSummary[]): RootContent[] {
  const signs = significantSigns(summary);
  const hasChance = groups.some(({ chance }) => chance !== null);
  const cells = (setting: SettingSummary): Inline[] => {
    const found = new Map(setting.breakdowns.map((row) => [subsetKey(row), row.interval] as const));
    return groups.map((group) => {
      const value: Interval | undefined = found.get(subsetKey(group));
      if (value === undefined) return noValue;
      const sign = signs.get(`${setting.label}\n${subsetKey(group)}`);
      return sign === undefined ? interval(value) : `${interval(value)} ${sign}`;
    });
  };
  return longTable(
    [
      rowNoun(summary.settings),
      ...groups.map(({ group, num_sentences }) => `${spaced(group)} (${count(num_sentences)})`),
    ],
    [
      ...(hasChance
        ? [
            [
              emphasis("same-category chance"),
              ...groups.map(({ chance }) => (chance === null ? noValue : points(chance))),
            ],
          ]
        : []),
      ...summary.settings.map((setting) => [setting.label, ...cells(setting)]),
    ],
  );
}

function pairTable({ settings }: Summary, strata: SubsetSummary[]): RootContent[] {
  const groups = strata.filter(({ num_pairs }) => num_pairs > 0);
  if (groups.length === 0) return [];
  return [
    paragraph(
      "Pair accuracy in %, with the number of minimal pairs in the heading. The two expressions of a pair differ in one word.",
    ),
    ...longTable(
      [rowNoun(settings), ...groups.map(({ group, num_pairs }) => `${spaced(group)} (${count(num_pairs)})`)],
      settings.map((setting) => [
        setting.label,
        ...groups.map(({ group }) => {
          const subset = setting.strata.find(({ stratum }) => stratum === group);
          const figure = subset === undefined ? undefined : figureOf(subset, "pair_accuracy");
          return figure === undefined ? noValue : interval(figure.interval);
        }),
      ]),
    ),
  ];
}

/** "↑" or "↓" for each configuration and subset that differs significantly from the reference. */
function significantSigns(summary: Summary): Map<string, string> {
  const reference = referenceOf(summary);
  return new Map(
    summary.subset_comparisons.flatMap((each) => {
      const { label, against, difference } = each;
      if (label !== reference || !isSignificant(each, summary)) return [];
      return [[`${against}\n${subsetKey(each)}`, difference.mean > 0 ? "↓" : "↑"] as const];
    }),
  );
}

function spaced(name: string): string {
  return name.replaceAll("_", " ");
}
