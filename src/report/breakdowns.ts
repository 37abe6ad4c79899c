import type { RootContent } from "mdast";
import { count } from "../base/format.ts";
import type { MetricName, SettingSummary, Summary } from "../contract/generated/types.ts";
import { figureOf, none } from "./figures.ts";
import { heading, images, paragraph, table } from "./markdown.ts";
import { interval, points } from "./points.ts";
import type { Picture } from "./report-input.ts";

/** Figures on each kind of sentence, where the data have kinds. */
export function strata({ settings, split }: Summary, chart: Picture | undefined): RootContent[] {
  const kinds = settings[0]?.strata ?? [];
  if (chart === undefined || kinds.length === 0) return [];
  const rows = (metric: MetricName): string[][] =>
    settings.map((setting) => [
      setting.label,
      ...kinds.map(({ stratum }) => {
        const own = setting.strata.find((each) => each.stratum === stratum);
        const figure = own === undefined ? undefined : figureOf(own, metric);
        return figure === undefined ? none : interval(figure.interval);
      }),
    ]);
  const head = (number: (kind: (typeof kinds)[number]) => number): string[] =>
    kinds.map((kind) => `${words(kind.stratum)} (${count(number(kind))})`);
  return [
    heading(2, "By kind of sentence"),
    images([chart]),
    paragraph(
      `Acc@0.5 in %, the number of sentences in the heading. All other figures by kind are in summary-${split}.json.`,
    ),
    table(["setting", ...head(({ num_sentences }) => num_sentences)], rows("acc_at_50")),
    ...(kinds.some(({ num_pairs }) => num_pairs > 0)
      ? [
          paragraph(
            "Minimal pairs with both sentences right, in %, the number of pairs in the heading. One word tells the two sentences of a pair apart.",
          ),
          table(["setting", ...head(({ num_pairs }) => num_pairs)], rows("pair_accuracy")),
        ]
      : []),
  ];
}

export function otherBreakdowns({ settings }: Summary): RootContent[] {
  const blocks = titles.flatMap(([by, title]) =>
    groupsOf(settings, by).length > 0 ? [heading(3, title), breakdownTable(settings, by)] : [],
  );
  if (blocks.length === 0) return [];
  return [
    heading(2, "Other break-downs"),
    paragraph("Acc@0.5 in %, the number of sentences in the heading."),
    ...blocks,
    heading(3, "Mean over categories"),
    table(
      ["setting", "Acc@0.5"],
      settings.map(({ label, category_macro_acc_at_50 }) => [label, points(category_macro_acc_at_50)]),
    ),
  ];
}

type By = SettingSummary["breakdowns"][number]["by"];

const titles: [By, string][] = [
  ["area_tercile", "By the object's share of the image"],
  ["sentence_length", "By words in the sentence"],
  ["num_same_category", "By objects of the same category in the image"],
];

function breakdownTable(settings: SettingSummary[], by: By): RootContent {
  const groups = groupsOf(settings, by);
  return table(
    ["setting", ...groups.map(({ group, num_sentences }) => `${words(group)} (${count(num_sentences)})`)],
    settings.map((setting) => [
      setting.label,
      ...groups.map(({ group }) => {
        const found = setting.breakdowns.find((row) => row.by === by && row.group === group);
        return found === undefined ? none : interval(found.interval);
      }),
    ]),
  );
}

function groupsOf(settings: SettingSummary[], by: By): SettingSummary["breakdowns"] {
  return (settings[0]?.breakdowns ?? []).filter((row) => row.by === by);
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}
