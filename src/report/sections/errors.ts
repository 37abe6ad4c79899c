import type { RootContent } from "mdast";
import { count } from "../../base/format.ts";
import type { ErrorClassName, SettingSummary, Summary } from "../../contract/generated/types.ts";
import { errorParts, fractionOf } from "../charts/error-classes.ts";
import { bullets, heading, images, longTable, paragraph } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { noValue, points } from "../points.ts";
import type { ReportImage } from "../report-input.ts";
import { hasRuns, rowNoun, runNoun, runsOf } from "../wording.ts";
import { missingExamples } from "./gallery.ts";

/**
 * Hits and errors of each configuration by class, with an example of each class of the best one.
 *
 * @param json the report's file for programs.
 */
export function errors(
  { settings }: Summary,
  chart: ReportImage | undefined,
  examples: ErrorExamples,
  json: string,
): RootContent[] {
  const [best] = settings;
  if (chart === undefined || best === undefined) return [];
  const parts = errorParts.filter(({ key }) => settings.some((setting) => fractionOf(setting, key) > 0));
  const noun = rowNoun(settings);
  const runs = settings.map(runsOf);
  return [
    heading(2, "Hits and errors by class"),
    images([chart]),
    paragraph(
      `Each answer has one class: a hit; else no answer; else by the annotated object of the image that it overlaps most. The classes of a ${noun} add up to 100 %.`,
    ),
    bullets(parts.map(({ key, title }) => `${title}: ${definitions[key]}`)),
    paragraph(
      `In % of the expressions, with their number in parentheses${hasRuns(runs) ? ` (the mean over ${runNoun(runs)}s)` : ""}. ${json} has intervals, and the ids of further examples.`,
    ),
    ...longTable(
      [noun, ...parts.map(({ title }) => title)],
      settings.map((setting) => [setting.label, ...parts.map(({ key }) => cell(setting, key))]),
    ),
    ...(examples.images.length === 0
      ? []
      : [
          paragraph(
            `An example of each class of error of ${quoteLabel(best.label)}${best.seeds.length > 1 ? ` (first ${runNoun(runs)})` : ""}: ${hasRuns(runs) ? `of those that most ${runNoun(runs)}s share, ` : ""}the one with the highest score.`,
          ),
          images(examples.images),
        ]),
    ...missingExamples(examples.unreadable),
  ];
}

/** The drawn examples. */
export interface ErrorExamples {
  images: ReportImage[];
  /** A message for each image that cannot be read. */
  unreadable: string[];
}

const definitions: Record<ErrorClassName, string> = {
  hit: "the IoU with the ground truth is at least 0.5 (Acc@0.5).",
  loose_box:
    "the answer overlaps the ground truth more than any other object of the image, with an IoU of 0.1 to 0.5.",
  wrong_instance:
    "it overlaps another object more, with an IoU of at least 0.1; that object has the same category.",
  wrong_category:
    "it overlaps another object more, with an IoU of at least 0.1; that object has another category.",
  background: "it overlaps no annotated object of the image with an IoU of at least 0.1.",
  no_answer:
    "the box has no area, the detector found nothing in the image, or the answer of an outside model is missing or has no box.",
  unknown:
    "the dataset does not tell: the category of an object is not annotated, or only objects with an expression are.",
};

/** "12.3 (121)". */
function cell({ error_classes }: SettingSummary, name: ErrorClassName): string {
  const row = error_classes.find(({ error_class }) => error_class === name);
  if (row === undefined || row.num_sentences === 0) return noValue;
  return `${points(row.fraction.mean)} (${count(Math.round(row.num_sentences))})`;
}

export function titleOf(name: ErrorClassName): string {
  return errorParts.find(({ key }) => key === name)?.title ?? name;
}
