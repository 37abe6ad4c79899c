import { asSentence, count, counted, joinWords } from "../../base/format.ts";
import type { SplitOverlap } from "../../contract/generated/types.ts";
import { originNames } from "../../report/training-data/overlap.ts";
import { droppedWords } from "../prepare/summary-lines.ts";
import { type DatasetProfile, isRefcocoFamily } from "./profile.ts";

/** Caveats for reporting results on the dataset, one or two sentences each. */
export function knownIssues(profile: DatasetProfile): string[] {
  const { facts, overlaps } = profile.stats;
  return [
    ...(facts.warnings ?? []).map(asSentence),
    ...seenByDetectors(profile),
    ...otherCollections(profile),
    ...overlaps.filter(sharesImages).map((overlap) => leakage(overlap, facts.split_by)),
    ...leftOut(profile),
    ...deviations(profile),
    ...repeatedExpressions(profile),
    ...unknownCategories(profile),
    ...facts.notes,
  ];
}

/** The overlap of two splits, as one line. */
export function overlapLine(overlap: SplitOverlap): string {
  const { num_images, num_refs, num_objects, num_sentences, num_identical_pixels } = overlap;
  const parts: [number: number, one: string, many: string][] = [
    [num_images, "image", "images"],
    [num_refs, "ref id", "ref ids"],
    [num_objects, "object", "objects"],
    [num_sentences, "expression with the same box", "expressions with the same box"],
    [num_identical_pixels ?? 0, "image with identical pixels", "images with identical pixels"],
  ];
  const shared = parts.filter(([number]) => number > 0);
  return shared.length === 0
    ? "nothing shared"
    : joinWords(shared.map(([number, one, many]) => `${count(number)} ${number === 1 ? one : many}`));
}

function seenByDetectors(profile: DatasetProfile): string[] {
  const { num_coco_train2014 } = profile.stats;
  const advice =
    "State this when you report results, or train the detector or backbone without these images.";
  if (isRefcocoFamily(profile))
    return [
      `All images are from COCO train2014, including those of val and test: a detector or backbone trained on COCO has seen them. ${advice}`,
    ];
  return num_coco_train2014 === 0
    ? []
    : [
        `${count(num_coco_train2014)} images are from COCO train2014, judging by their names: a detector or backbone trained on COCO has seen them. ${advice}`,
      ];
}

/** Images of published collections other than COCO train2014. */
function otherCollections({ stats }: DatasetProfile): string[] {
  return (stats.image_origins ?? [])
    .filter(({ origin }) => origin !== "coco_train2014" && origin !== "other")
    .map(
      ({ origin, num_images }) =>
        `${counted(num_images, "image")} ${originNames[origin]}, judging by ${num_images === 1 ? "its name" : "their names"}: weights trained on that dataset may have seen ${num_images === 1 ? "it" : "them"}.`,
    );
}

function sharesImages({ num_images, num_identical_pixels }: SplitOverlap): boolean {
  return num_images + (num_identical_pixels ?? 0) > 0;
}

function leakage(overlap: SplitOverlap, split_by: string): string {
  const { first, second } = overlap;
  const reason =
    split_by === "google" ? " The google split divides objects, not images; the umd split shares none." : "";
  return `Data leakage: ${first} and ${second} share ${overlapLine(overlap)}.${reason}`;
}

function leftOut({ stats }: DatasetProfile): string[] {
  const { dropped } = stats.facts;
  return dropped.num_sentences === 0
    ? []
    : [`${droppedWords(dropped)}: results are not comparable with published ones.`];
}

function deviations({ stats }: DatasetProfile): string[] {
  const lines = stats.facts.deviations;
  if (lines.length === 0) return [];
  const shown = lines.slice(0, 3).join("; ");
  const rest = lines.length > 3 ? `; and ${lines.length - 3} more counts` : "";
  return [`Counts differ from the published ones: ${shown}${rest}.`];
}

function repeatedExpressions({ stats: { splits, facts } }: DatasetProfile): string[] {
  const num_repeated = splits.reduce((sum, split) => sum + split.num_repeated, 0);
  // For the rows layout, the notes of the dataset already say it.
  return num_repeated === 0 || facts.source.layout === "rows"
    ? []
    : [
        `${count(num_repeated)} expressions repeat an earlier one for the same object; they are kept and count twice.`,
      ];
}

function unknownCategories({ stats: { splits } }: DatasetProfile): string[] {
  const num_unknown = splits.reduce((sum, { same_category }) => sum + same_category.unknown, 0);
  return num_unknown === 0
    ? []
    : [
        `The category is unknown for ${count(num_unknown)} expressions: they are excluded from results by category and from same-category negatives.`,
      ];
}
