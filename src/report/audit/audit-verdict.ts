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
  const shuffled = kindOf(summary, "shuffled");
  if (shuffled === undefined || shuffled.unchanged.low === null)
    return ["There are too few images to tell whether word order matters."];
  if (summary.ignores_word_order === null)
    return [
      `It is open whether word order matters: the box is the same for ${sameWithInterval(summary, "shuffled")} of the expressions with shuffled words and ${sameWithInterval(summary, "reversed")} with reversed words.`,
    ];
  return [
    `Word order matters: with shuffled words the box is the same for ${same(summary, "shuffled")} of the expressions, and Acc@0.5 is ${points(shuffled.acc_at_50.mean)} %.`,
  ];
}

function expression(summary: AuditSummary): string[] {
  const blank = kindOf(summary, "blank");
  if (blank === undefined || summary.ignores_expression === null) return [];
  return [
    summary.ignores_expression
      ? `It is not above its own answers without words (${points(blank.acc_at_50.mean)} %).`
      : `Without words, Acc@0.5 is ${points(blank.acc_at_50.mean)} %.`,
  ];
}

function swaps(summary: AuditSummary): string[] {
  const side = kindOf(summary, "swapped_side");
  if (side?.moved === undefined || side.moved === null) return [];
  return [
    `With left and right swapped, ${points(side.moved.mean)} % of the boxes move to another object of the category.`,
  ];
}

function same(summary: AuditSummary, kind: AuditKind["kind"]): string {
  const found = kindOf(summary, kind);
  return found === undefined ? "an unknown part" : `${points(found.unchanged.mean)} %`;
}

function sameWithInterval(summary: AuditSummary, kind: AuditKind["kind"]): string {
  const found = kindOf(summary, kind);
  return found === undefined ? "an unknown part" : `${interval(found.unchanged)} %`;
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
