import { counted, joinWords } from "../../base/format.ts";
import type { AuditKind, AuditSummary } from "../../contract/generated/types.ts";
import { interval, points } from "../points.ts";

/** What an audit found of one model, in a few sentences. */
export function auditVerdict(summary: AuditSummary): string {
  const { label, acc_at_50 } = summary;
  const parts = [
    `${label}: ${points(acc_at_50.mean)} % Acc@0.5 on ${summary.split}.`,
    ...order(summary),
    ...expression(summary),
    ...swaps(summary),
    ...unanswered(summary),
  ];
  return parts.join(" ");
}

/** "concatenation ignores word order: ..."; undefined if it does not. */
export function orderRemark(summary: AuditSummary): string | undefined {
  if (summary.ignores_word_order !== true) return undefined;
  return `${summary.label} ignores word order: its box is the same for ${same(summary, "shuffled")} of the expressions with shuffled words and ${same(summary, "reversed")} with reversed words`;
}

function order(summary: AuditSummary): string[] {
  const remark = orderRemark(summary);
  if (remark !== undefined) return [`${remark}.`];
  const orders = [kindOf(summary, "shuffled"), kindOf(summary, "reversed")];
  const asked = orders.flatMap((kind) => kind?.unchanged ?? []);
  if (orders.every((kind) => kind === undefined)) return ["No expression has words in another order."];
  if (asked.length === 0)
    return ["Whether word order matters is unknown, since too few expressions with other orders have a box."];
  if (asked.every(({ low }) => low === null))
    return ["There are too few images to tell whether word order matters."];
  if (summary.ignores_word_order === null)
    return [
      `It is open whether word order matters: ${joinWords(orders.flatMap((kind) => sharePhrase(kind) ?? []))}.`,
    ];
  const accuracy = kindOf(summary, "shuffled")?.acc_at_50;
  return [
    `Word order matters: the box is the same for ${same(summary, "shuffled")} of the expressions with shuffled words and ${same(summary, "reversed")} with reversed words${accuracy ? `; with shuffled words, Acc@0.5 is ${points(accuracy.mean)} %` : ""}.`,
  ];
}

function expression(summary: AuditSummary): string[] {
  const blank = kindOf(summary, "blank")?.acc_at_50;
  if (!blank || summary.ignores_expression === null) return [];
  return [
    summary.ignores_expression
      ? `It is not above its own answers without words (${points(blank.mean)} %).`
      : `Without words, Acc@0.5 is ${points(blank.mean)} %.`,
  ];
}

function swaps(summary: AuditSummary): string[] {
  const side = kindOf(summary, "swapped_side");
  if (side?.moved === undefined || side.moved === null) return [];
  return [
    `With left and right swapped, ${points(side.moved.mean)} % of the boxes move to another object of the category.`,
  ];
}

/** Kinds of which nothing is said, and unchanged expressions that are misses for lack of a box. */
function unanswered(summary: AuditSummary): string[] {
  const lost = (summary.num_missing ?? 0) + (summary.num_unparsed ?? 0);
  const titles = unansweredKinds(summary).map(({ kind }) => kindTitles[kind]);
  return [
    ...(lost === 0 ? [] : [`${counted(lost, "unchanged expression")} without a box count as misses.`]),
    ...(titles.length === 0
      ? []
      : [`Fewer than half of the questions have a box, and there are no figures: ${joinWords(titles)}.`]),
  ];
}

/** Kinds with boxes for fewer than half of their questions. */
function unansweredKinds({ kinds }: AuditSummary): AuditKind[] {
  return kinds.filter(({ acc_at_50 }) => acc_at_50 === null);
}

function same(summary: AuditSummary, kind: AuditKind["kind"]): string {
  const unchanged = kindOf(summary, kind)?.unchanged;
  return unchanged ? `${points(unchanged.mean)} %` : "an unknown part";
}

/** "with shuffled words the box is the same for 97.0 (96.0 to 98.0) % of the expressions". */
function sharePhrase(kind: AuditKind | undefined): string | undefined {
  if (kind === undefined) return undefined;
  const title = `with ${kindTitles[kind.kind]}`;
  return kind.unchanged === null
    ? `${title} too few expressions have a box`
    : `${title} the box is the same for ${interval(kind.unchanged)} % of the expressions`;
}

function kindOf({ kinds }: AuditSummary, kind: AuditKind["kind"]): AuditKind | undefined {
  return kinds.find((each) => each.kind === kind);
}

/** What people read for each kind of change. */
export const kindTitles: Record<AuditKind["kind"], string> = {
  blank: "no words",
  shuffled: "shuffled words",
  reversed: "reversed words",
  content_words: "content words only",
  dropped_word: "one word dropped",
  swapped_side: "left and right swapped",
  swapped_color: "color swapped",
  swapped_number: "number swapped",
  other_expression: "expression of another object",
};
