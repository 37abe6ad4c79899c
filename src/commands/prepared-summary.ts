import { counted } from "../base/format.ts";
import type { PreparedDataset } from "../contract/generated/types.ts";

/** What a person should know of a data set that was just prepared, a line each. */
export function toldOf({ name, splits, dropped, deviations, notes, split_rule }: PreparedDataset): string[] {
  const lacking = (["train", "val"] as const).filter((split) => !splits.some((each) => each.split === split));
  return [
    `${name}, split ${split_rule}:`,
    ...splits.map((each) => `  ${each.split.padEnd(6)} ${sizesOf(each).join(", ")}`),
    ...(dropped.num_images > 0 ? [leftOut(dropped)] : []),
    ...(deviations.length > 0 ? ["Not as published:", ...deviations.map((line) => `  ${line}`)] : []),
    ...notes.map((line) => `Note: ${line}`),
    ...lacking.map((split) => `Note: the split ${split} has no sentence; a sweep needs train and val`),
  ];
}

type Sizes = PreparedDataset["dropped"];

function sizesOf({ num_images, num_refs, num_sentences }: Sizes): [string, string, string] {
  return [counted(num_images, "picture"), counted(num_refs, "ref"), counted(num_sentences, "sentence")];
}

function leftOut(dropped: Sizes): string {
  const [pictures, refs, sentences] = sizesOf(dropped);
  return `Left out: ${pictures} that cannot be used, with ${refs} and ${sentences}`;
}
