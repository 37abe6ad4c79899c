import type { RootContent } from "mdast";
import { count, counted } from "../../base/format.ts";
import type { AuditKind, AuditSummary, Interval, StoredAudit } from "../../contract/generated/types.ts";
import { bullets, codeBlock, heading, images, longTable, paragraph, strong } from "../markdown.ts";
import { interval, noValue, points, pValue, signedInterval } from "../points.ts";
import type { ReportImage } from "../report-input.ts";
import { auditVerdict, kindTitles } from "./audit-verdict.ts";

/** The charts and examples of one model. */
export interface AuditImages {
  kinds: ReportImage;
  words: ReportImage | undefined;
  examples: ReportImage[];
  /** Why examples have no image. */
  unreadable: string[];
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
  const { num_expressions, num_images, num_one_word } = first.summary;
  const oneWord = num_one_word
    ? ` ${counted(num_one_word, "expression")} of one word ${num_one_word === 1 ? "has" : "have"} no other order and no word to drop.`
    : "";
  return `${count(num_expressions)} expressions of ${counted(num_images, "image")} of ${dataset.name} ${split}; values in parentheses are ${points(first.summary.confidence).replace(/\.0$/, "")} % confidence intervals over images${models.some(({ summary }) => summary.population === "procedure") ? " and training seeds" : ""}.${oneWord}`;
}

function modelBlocks(summary: AuditSummary, drawn: AuditImages | undefined): RootContent[] {
  return [
    heading(2, summary.label),
    ...(drawn === undefined ? [] : [images([drawn.kinds])]),
    ...kindsTable(summary),
    ...wordBlocks(summary, drawn),
  ];
}

function kindsTable({ kinds }: AuditSummary): RootContent[] {
  const hasGaps = kinds.some((kind) => withoutBox(kind) > 0);
  const head = [
    "change",
    "expressions",
    ...(hasGaps ? ["questions", "missing", "without a box"] : []),
    "Acc@0.5 before",
    "after",
    "difference",
    "p (Holm)",
    "same box",
    "moved to another object",
  ];
  const shown = (value: Interval | null, format = interval): string =>
    value === null ? noValue : format(value);
  const rows = kinds.map((kind) => [
    kindTitles[kind.kind],
    count(kind.num_expressions),
    ...(hasGaps
      ? [count(kind.num_changes), count(kind.num_missing ?? 0), count(kind.num_unparsed ?? 0)]
      : []),
    points(kind.original.mean),
    shown(kind.acc_at_50),
    shown(kind.difference, signedInterval),
    pValue(kind.p_adjusted),
    shown(kind.unchanged),
    shown(kind.moved),
  ]);
  return longTable(head, rows);
}

function withoutBox({ num_missing, num_unparsed }: AuditKind): number {
  return (num_missing ?? 0) + (num_unparsed ?? 0);
}

function wordBlocks({ examples }: AuditSummary, drawn: AuditImages | undefined): RootContent[] {
  if (drawn?.words === undefined) return [];
  const { words, unreadable } = drawn;
  return [
    heading(3, `Words of ${counted(examples.length, "expression")}`),
    paragraph(
      `Each cell is a word; its color is how much the box moves if the word is dropped.${examples.some((example) => example.words.some(({ iou }) => iou === null)) ? " A word without color has no answer." : ""}`,
    ),
    images([words]),
    bullets(
      examples.map(({ sentence, sent_id }, index) => `${index + 1}: “${sentence}” (sent_id ${sent_id})`),
    ),
    ...(drawn.examples.length === 0 ? [] : [images(drawn.examples)]),
    ...(unreadable.length === 0
      ? []
      : [paragraph(`Expressions without an image: ${unreadable.join("; ")}.`)]),
  ];
}

function definitions({ models }: StoredAudit): RootContent[] {
  const [first] = models;
  const words = first?.summary.function_words;
  return [
    heading(2, "Definitions"),
    bullets([
      `No words: the empty expression. Shuffled words: a random order (seed ${first?.summary.seed ?? 0}) that keeps as few neighbors as possible. Reversed words: from the last to the first. Content words only: ${words ? `without the words ${words.join(", ")}` : "without function words"}. An expression that a change leaves as it is does not count.`,
      "One word dropped: each word of an expression in turn, of as many expressions as have 1,500 words together, chosen by a hash of their ids.",
      "Left and right swapped: left, right and words such as leftmost, where they are sides (not “who left”, “right behind”). Color swapped: red, orange, yellow, green, blue, purple, pink, brown, black, white or gray becomes another one that the data use. Number swapped: two to ten, first to tenth, and their digits become the next one. Expression of another object: one of the same image.",
      "Same box: an IoU of at least 0.9 with the box of the unchanged expression. Moved to another object: an IoU of at least 0.5 with another annotated object of the category, for swaps, or with the object that the other expression refers to, which the box of the unchanged expression did not have.",
      "A question without a box is a miss; it is left out of “same box” and “moved”, also if the unchanged expression has none. A kind with boxes for fewer than half of its questions has no figures.",
      "A model ignores word order if the lower ends of the intervals of “same box” are at least 90 % for both shuffled and reversed words; word order matters if an upper end is below 90 %; otherwise it is open.",
      "After Akula et al., Words Aren't Enough, Their Order Matters: On the Robustness of Grounding Visual Referring Expressions (ACL 2020). Differences are paired by image; p values are adjusted by Holm's procedure over the kinds of changes.",
    ]),
  ];
}
