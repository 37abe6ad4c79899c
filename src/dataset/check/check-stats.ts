import { counted } from "../../base/format.ts";
import type { DatasetStats, PreparedDataset, SplitOverlap } from "../../contract/generated/types.ts";
import { publishedCounts } from "../prepare/published-counts.ts";
import { type CheckResult, checkResult, firstOf } from "./check-result.ts";

/**
 * Checks the tables, the counts and the splits of a dataset by its statistics; pure.
 *
 * @param fix how to write the tables again.
 */
export function checkStats(stats: DatasetStats, fix: string): CheckResult[] {
  return [
    ...stats.table_checks.map(({ expected, num_checked, num_wrong, examples }) =>
      num_wrong === 0
        ? checkResult("ok", expected, `all ${num_checked}`)
        : checkResult(
            "FAIL",
            expected,
            `${num_wrong} of ${num_checked} fail: ${firstOf(examples, num_wrong)}; ${fix}`,
          ),
    ),
    checkCounts(stats.facts),
    ...(stats.facts.warnings ?? []).map((line) =>
      checkResult("note", "the data may make results wrong", line),
    ),
    ...stats.overlaps.map((overlap) => checkOverlap(overlap, stats.facts)),
  ];
}

/** A dataset with a published name must have the published counts, except for images and rows that were skipped on request. */
function checkCounts({ name, split_by, deviations, dropped }: PreparedDataset): CheckResult {
  const what = "counts match the published ones";
  if (publishedCounts(name, split_by) === undefined)
    return checkResult("ok", what, "no counts are published for this dataset");
  if (deviations.length === 0) return checkResult("ok", what, "every split");
  const list = firstOf(deviations);
  const skipped =
    dropped.num_images > 0
      ? `${counted(dropped.num_images, "image")} that cannot be used`
      : `${counted(dropped.num_sentences, "referring expression")} with invalid annotations`;
  return dropped.num_images + dropped.num_sentences > 0
    ? checkResult(
        "note",
        what,
        `${list}; skipped: ${skipped}, so results are not comparable with published ones`,
      )
    : checkResult(
        "FAIL",
        what,
        `${list}; nothing was skipped, so these are not the published annotations: get the published ones, or prepare these under another name`,
      );
}

/** An image in two splits leaks from training to evaluation. */
function checkOverlap(overlap: SplitOverlap, { split_by }: PreparedDataset): CheckResult {
  const { first, second, num_images, num_identical_pixels, num_sentences, examples } = overlap;
  const what = `${first} and ${second} share no image`;
  const num_duplicates = num_identical_pixels ?? 0;
  if (num_images === 0 && num_duplicates === 0)
    return checkResult(
      "ok",
      what,
      num_identical_pixels === null
        ? "by id and file name; pixels were not compared"
        : "by id, file name and pixels",
    );
  if (num_images === 0)
    return checkResult(
      // Published splits are not changed; the user's own can be fixed.
      split_by === "own" ? "FAIL" : "note",
      what,
      `${counted(num_duplicates, "image")} of ${second} with the same pixels as an image of ${first}: ${firstOf(examples, num_duplicates)}${
        split_by === "own" ? "; keep each image in one split and prepare the dataset again" : ""
      }`,
    );
  const more = num_duplicates === 0 ? "" : `; ${num_duplicates} more with the same pixels`;
  const shared = `${counted(num_images, "image")} in both, ${counted(num_sentences, "referring expression")} with the same box and words: ${firstOf(examples.slice(0, num_images), num_images)}${more}`;
  if (split_by === "google")
    return checkResult(
      "note",
      what,
      `${shared}; the google split separates objects, not images: prefer umd for results that you report`,
    );
  return checkResult(
    "FAIL",
    what,
    split_by === "own"
      ? `${shared}; keep each image in one split, or give no split to have cliprpn split by image`
      : `${shared}; the published ${split_by} split shares none, so these are not the published annotations`,
  );
}
