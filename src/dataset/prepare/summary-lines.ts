import { count, counted } from "../../base/format.ts";
import type { MatchedSplit, PreparedDataset, Split } from "../../contract/generated/types.ts";

/** Summary of a dataset that was just prepared, as lines. */
export function summaryLines({
  name,
  splits,
  dropped,
  skipped,
  deviations,
  notes,
  warnings,
  split_rule,
  split_by,
  matched,
}: PreparedDataset): string[] {
  const absent = (["train", "val"] as const).filter(
    (split) => !splits.some((entry) => entry.split === split),
  );
  return [
    `${name}, ${split_by === "own" && matched === undefined ? "its own split, " : "split "}${split_rule}:`,
    ...splits.map((counts) => `  ${counts.split.padEnd(6)} ${countWords(counts).join(", ")}`),
    ...(matched ?? []).map(matchedLine),
    ...(dropped.num_sentences > 0 ? [droppedWords(dropped)] : []),
    ...(skipped ?? []).map((line) => `  ${line}`),
    ...moreSkipped(dropped, skipped),
    ...(deviations.length > 0
      ? ["Different from the published counts:", ...deviations.map((line) => `  ${line}`)]
      : []),
    ...(warnings ?? []).map((line) => `Warning: ${line}`),
    ...notes.map((line) => `Note: ${line}`),
    ...absent.map((split) => `Note: the split ${split} is empty; a sweep needs train and val`),
  ];
}

/** What was left out, with its reason: images that cannot be used, or invalid rows of images that can. */
export function droppedWords(dropped: DatasetCounts): string {
  const [images, objects, expressions] = countWords(dropped);
  return dropped.num_images === 0
    ? `Skipped: ${expressions} with invalid annotations, and ${objects}`
    : `Skipped: ${images} that cannot be used, with ${objects} and ${expressions}`;
}

/** How many images were skipped that are not listed. */
export function moreSkipped(
  { num_images }: PreparedDataset["dropped"],
  skipped: PreparedDataset["skipped"],
): string[] {
  const rest = num_images - (skipped ?? []).length;
  return skipped == null || rest <= 0 ? [] : [`  and ${count(rest)} more, all in problems.txt`];
}

/** How much of a published split the dataset has, such as `refcocog-umd val: 4,896 of 4,896 expressions`. */
export function matchedLine({ published, split, num_matched, num_published }: MatchedSplit): string {
  return `${published} ${split}: ${count(num_matched)} of ${count(num_published)} expressions`;
}

/**
 * What a report calls a split: `val`, and for a user's own annotations what it is. Only a split whose expressions were
 * matched with a published one may be taken for it.
 */
export function describeSplit(
  { split_by, matched, joint }: Pick<PreparedDataset, "split_by" | "matched" | "joint">,
  split: Split,
): string {
  if (joint != null) return `${split} of ${joint.val.name}`;
  if (split_by !== "own") return split;
  const part = matched?.find((entry) => entry.split === split);
  return part === undefined ? `${split}, a split of the dataset's own` : `${split} (${matchedLine(part)})`;
}

type DatasetCounts = PreparedDataset["dropped"];

function countWords({ num_images, num_refs, num_sentences }: DatasetCounts): [string, string, string] {
  return [
    counted(num_images, "image"),
    counted(num_refs, "referred object"),
    counted(num_sentences, "referring expression"),
  ];
}
