import type { RootContent } from "mdast";
import { count, counted } from "../../base/format.ts";
import type { Reviewed, Summary } from "../../contract/generated/types.ts";
import { figureOf } from "../figures.ts";
import { heading, longTable, paragraph } from "../markdown.ts";
import { nameLabels, quoteLabel } from "../names.ts";
import { interval, noValue, points, pValue, signedInterval } from "../points.ts";
import { rowNoun } from "../wording.ts";

/** The figures on the expressions of a list, such as reviewed annotations, beside those on all. */
export function reviewed(summary: Summary): RootContent[] {
  const { reviewed: found } = summary;
  if (found === undefined || found === null) return [];
  const noun = rowNoun(summary.settings);
  const compares = found.settings.length > 1;
  return [
    heading(2, "Reviewed expressions"),
    paragraph(
      `The list ${quoteLabel(found.name)} has ${count(found.num_sentences)} of the ${count(summary.num_sentences)} expressions, in ${counted(found.num_images, "image")}. ${compares ? orderSentence(found, noun) : ""}`.trim(),
    ),
    ...longTable(
      [
        noun,
        "Acc@0.5 on all (%)",
        "Acc@0.5 on the list (%)",
        ...(compares ? ["rank on all", "rank on the list"] : []),
      ],
      found.settings.map(({ label, acc_at_50, rank_all, rank_reviewed }) => [
        label,
        interval(
          figureOf(summary.settings.find((each) => each.label === label) ?? { figures: [] }, "acc_at_50")
            ?.interval ?? acc_at_50,
        ),
        interval(acc_at_50),
        ...(compares ? [String(rank_all), String(rank_reviewed)] : []),
      ]),
    ),
    ...comparisonsOn(summary, found),
  ];
}

/** "The order of the models changes: qwen is 1st of 3 on all, and 2nd on the list." */
function orderSentence({ order_changes, settings }: Reviewed, noun: string): string {
  if (!order_changes) return `The order of the ${noun}s is the same as on all expressions.`;
  const moved = settings.filter(({ rank_all, rank_reviewed }) => rank_all !== rank_reviewed);
  return `The order of the ${noun}s changes: ${nameLabels(moved.map(({ label }) => label))} ${moved.length === 1 ? "has" : "have"} another rank than on all expressions.`;
}

/** The pairs of the report, on all expressions and on those of the list. */
function comparisonsOn(summary: Summary, { comparisons }: Reviewed): RootContent[] {
  if (comparisons.length === 0) return [];
  return [
    paragraph("Differences in Acc@0.5, in points; p on the list is adjusted by Holm's procedure."),
    ...longTable(
      ["pair", "difference on all", "difference on the list", "p on the list (Holm)"],
      comparisons.map(({ label, against, difference, p_adjusted }) => {
        const all = summary.comparisons.find((each) => each.label === label && each.against === against);
        return [
          `${label} minus ${against}`,
          all === undefined ? noValue : signedInterval(all.difference),
          signedInterval(difference),
          pValue(p_adjusted),
        ];
      }),
    ),
  ];
}

/** A sentence beside the verdict if the order of the models on the list is another one. */
export function reviewedRemark({ reviewed: found, settings }: Summary): string[] {
  if (found?.order_changes !== true) return [];
  const [first] = found.settings.filter(({ rank_reviewed }) => rank_reviewed === 1);
  const best = found.settings.find(({ rank_all }) => rank_all === 1);
  const name = quoteLabel(found.name);
  if (first === undefined || best === undefined || first.label === best.label)
    return [`On the expressions of ${name}, the order of the ${rowNoun(settings)}s changes`];
  return [
    `On the expressions of ${name}, ${quoteLabel(first.label)} is first, with an Acc@0.5 of ${points(first.acc_at_50.mean)} % against ${points(best.acc_at_50.mean)} %`,
  ];
}
