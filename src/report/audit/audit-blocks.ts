import type { RootContent } from "mdast";
import { count, counted } from "../../base/format.ts";
import type { AuditSummary, StoredAudit } from "../../contract/generated/types.ts";
import { bullets, codeBlock, heading, images, longTable, paragraph, strong } from "../markdown.ts";
import { interval, noValue, points, pValue, signedInterval } from "../points.ts";
import type { ReportImage } from "../report-input.ts";
import { auditVerdict, kindTitles } from "./audit-verdict.ts";

/** The charts and examples of one model. */
export interface AuditImages {
  kinds: ReportImage;
  words: ReportImage | undefined;
  examples: ReportImage[];
}

/** AUDIT.md from top to bottom. */
export function auditBlocks(audit: StoredAudit, drawn: readonly AuditImages[]): RootContent[] {
  return [
    heading(
      1,
      `Does ${audit.models.length === 1 ? (audit.models[0]?.summary.label ?? audit.name) : "each model"} read the expression?`,
    ),
    ...audit.models.map(({ summary }) => paragraph([strong(auditVerdict(summary))])),
    paragraph(basis(audit)),
    ...audit.models.flatMap(({ summary }, index) => modelBlocks(summary, drawn[index])),
    heading(2, "Reproduce"),
    codeBlock("sh", `npx ${audit.command}`),
    ...definitions(audit),
  ];
}

function basis({ dataset, split, models }: StoredAudit): string {
  const [first] = models;
  if (first === undefined) return "";
  const { num_expressions, num_images } = first.summary;
  return `${count(num_expressions)} expressions of ${counted(num_images, "image")} of ${dataset.name} ${split}; values in parentheses are ${points(first.summary.confidence).replace(/\.0$/, "")} % confidence intervals over images${models.some(({ summary }) => summary.population === "procedure") ? " and training seeds" : ""}.`;
}

function modelBlocks(summary: AuditSummary, drawn: AuditImages | undefined): RootContent[] {
  const head = [
    "change",
    "expressions",
    "Acc@0.5 before",
    "after",
    "difference",
    "p (Holm)",
    "same box",
    "moved to another object",
  ];
  const rows = summary.kinds.map((kind) => [
    kindTitles[kind.kind],
    count(kind.num_expressions),
    points(kind.original.mean),
    interval(kind.acc_at_50),
    signedInterval(kind.difference),
    pValue(kind.p_adjusted),
    interval(kind.unchanged),
    kind.moved === null ? noValue : interval(kind.moved),
  ]);
  return [
    heading(2, summary.label),
    ...(drawn === undefined ? [] : [images([drawn.kinds])]),
    ...longTable(head, rows),
    ...(drawn?.words === undefined
      ? []
      : [
          heading(3, `Words of ${counted(summary.examples.length, "expression")}`),
          paragraph("Each cell is a word; its color is how much the box moves if the word is dropped."),
          images([drawn.words]),
          bullets(
            summary.examples.map(
              ({ sentence, sent_id }, index) => `${index + 1}: “${sentence}” (sent_id ${sent_id})`,
            ),
          ),
          images(drawn.examples),
        ]),
  ];
}

function definitions({ models }: StoredAudit): RootContent[] {
  const [first] = models;
  return [
    heading(2, "Definitions"),
    bullets([
      `No words: the empty expression. Shuffled words: a random order (seed ${first?.summary.seed ?? 0}) that keeps as few neighbors as possible. Reversed words: from the last to the first. Content words only: without articles, pronouns, forms of to be and to have, and prepositions that say no place. An expression that a change leaves as it is does not count.`,
      "One word dropped: each word of an expression in turn, of as many expressions as have 1,500 words together, chosen by a hash of their ids.",
      "Left and right swapped: also leftmost, top and bottom, above and below. Color swapped: another color that the data use. Number swapped: the next number. Expression of another object: one of the same image.",
      "Same box: an IoU of at least 0.9 with the box of the unchanged expression. Moved to another object: an IoU of at least 0.5 with another annotated object of the category, for swaps, or with the object that the other expression refers to, which the box of the unchanged expression did not have.",
      "A model ignores word order if the lower ends of the intervals of “same box” are at least 90 % for both shuffled and reversed words; word order matters if an upper end is below 90 %; otherwise it is open.",
      "After Akula et al., Words Aren't Enough, Their Order Matters: On the Robustness of Grounding Visual Referring Expressions (ACL 2020). Differences are paired by image; p values are adjusted by Holm's procedure over the kinds of changes.",
    ]),
  ];
}
