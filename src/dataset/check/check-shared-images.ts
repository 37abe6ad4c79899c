import { count, counted } from "../../base/format.ts";
import type { CompareDatasetsResult, SharedImages } from "../../contract/generated/types.ts";
import { type CheckResult, checkResult, firstOf } from "./check-result.ts";

/**
 * What the splits of several datasets share, one result for each pair of splits; pure.
 *
 * @param names of the datasets, in the order of the comparison.
 */
export function checkSharedImages(names: readonly string[], compared: CompareDatasetsResult): CheckResult[] {
  return [
    ...compared.pairs.map((pair) => describePair(names, pair)),
    ...names.flatMap((name, index) => missing(name, compared, index)),
    checkResult("note", "compared by content", basis(compared)),
  ];
}

function describePair(names: readonly string[], pair: SharedImages): CheckResult {
  const { first, second, first_split, second_split, num_second, num_same_file, num_same_pixels, examples } =
    pair;
  const what = `${names[first]} ${first_split} and ${names[second]} ${second_split} share no image`;
  const total = num_same_file + num_same_pixels;
  if (total === 0) return checkResult("ok", what, `none of ${count(num_second)}`);
  const parts = [
    ...(num_same_file > 0 ? [`${count(num_same_file)} with the same file`] : []),
    ...(num_same_pixels > 0 ? [`${count(num_same_pixels)} with the same pixels in another file`] : []),
  ];
  const shown = examples.map(({ first: a, second: b }) => (a === b ? a : `${a} = ${b}`));
  return checkResult(
    "note",
    what,
    `${count(total)} of ${counted(num_second, "image")} of the second are in the first, ${parts.join(" and ")}: ${firstOf(shown, total)}`,
  );
}

function missing(
  name: string,
  { num_images, num_missing_files }: CompareDatasetsResult,
  index: number,
): CheckResult[] {
  const num_missing = num_missing_files[index] ?? 0;
  return num_missing === 0
    ? []
    : [
        checkResult(
          "note",
          `${name}: files of the images`,
          `${count(num_missing)} of ${count(num_images[index] ?? 0)} cannot be read, and were compared by pixels only`,
        ),
      ];
}

function basis({ pixels, num_without_pixels }: CompareDatasetsResult): string {
  const source = pixels === "files" ? "the decoded files" : `the prepared pixels (${pixels})`;
  const num_without = num_without_pixels.reduce((sum, number) => sum + number, 0);
  const without =
    num_without === 0 ? "" : `, except for ${counted(num_without, "image")} that cannot be decoded`;
  return `bytes of the files and ${source}${without}; an image that was resized or compressed again has other pixels, and is not found`;
}
