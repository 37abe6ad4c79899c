import type { RootContent } from "mdast";
import { count } from "../base/format.ts";
import type { MetricName, SettingSummary, Summary } from "../contract/generated/types.ts";
import { figureOf } from "./figures.ts";
import { heading, images, paragraph, table } from "./markdown.ts";
import { interval, noValue, points } from "./points.ts";
import type { ReportImage } from "./report-input.ts";

/** Accuracy on each subset, if the data have subsets. */
export function subsets({ settings, split }: Summary, chart: ReportImage | undefined): RootContent[] {
  const strata = settings[0]?.strata ?? [];
  if (chart === undefined || strata.length === 0) return [];
  const rows = (metric: MetricName): string[][] =>
    settings.map((setting) => [
      setting.label,
      ...strata.map(({ stratum }) => {
        const subset = setting.strata.find((candidate) => candidate.stratum === stratum);
        const figure = subset === undefined ? undefined : figureOf(subset, metric);
        return figure === undefined ? noValue : interval(figure.interval);
      }),
    ]);
  const head = (size: (stratum: (typeof strata)[number]) => number): string[] => [
    "configuration",
    ...strata.map((stratum) => `${spaced(stratum.stratum)} (${count(size(stratum))})`),
  ];
  return [
    heading(2, "By subset"),
    images([chart]),
    paragraph(
      `Acc@0.5 in %, with the number of expressions in the heading. summary-${split}.json has all other metrics by subset.`,
    ),
    table(
      head(({ num_sentences }) => num_sentences),
      rows("acc_at_50"),
    ),
    ...(strata.some(({ num_pairs }) => num_pairs > 0)
      ? [
          paragraph(
            "Pair accuracy in %, with the number of minimal pairs in the heading. The two expressions of a pair differ in one word.",
          ),
          table(
            head(({ num_pairs }) => num_pairs),
            rows("pair_accuracy"),
          ),
        ]
      : []),
  ];
}

/** Acc@0.5 by object size, expression length and number of distractors, and its mean over categories. */
export function otherBreakdowns({ settings }: Summary): RootContent[] {
  const blocks = titles.flatMap(([by, title]) =>
    groupsOf(settings[0], by).length > 0 ? [heading(3, title), breakdownTable(settings, by)] : [],
  );
  if (blocks.length === 0) return [];
  return [
    heading(2, "Other breakdowns"),
    paragraph("Acc@0.5 in %, with the number of expressions in the heading."),
    ...blocks,
    heading(3, "Mean over categories"),
    table(
      ["configuration", "Acc@0.5"],
      settings.map(({ label, category_macro_acc_at_50 }) => [label, points(category_macro_acc_at_50)]),
    ),
  ];
}

type By = SettingSummary["breakdowns"][number]["by"];

const titles: [By, string][] = [
  ["area_tercile", "By object area, in % of the image"],
  ["sentence_length", "By number of words in the expression"],
  ["num_same_category", "By number of objects of the same category in the image"],
];

function breakdownTable(settings: SettingSummary[], by: By): RootContent {
  const groups = groupsOf(settings[0], by);
  return table(
    [
      "configuration",
      ...groups.map(({ group, num_sentences }) => `${spaced(group)} (${count(num_sentences)})`),
    ],
    settings.map((setting) => [
      setting.label,
      ...groups.map(({ group }) => {
        const row = groupsOf(setting, by).find((candidate) => candidate.group === group);
        return row === undefined ? noValue : interval(row.interval);
      }),
    ]),
  );
}

function groupsOf(setting: SettingSummary | undefined, by: By): SettingSummary["breakdowns"] {
  return (setting?.breakdowns ?? []).filter((row) => row.by === by);
}

function spaced(name: string): string {
  return name.replaceAll("_", " ");
}
