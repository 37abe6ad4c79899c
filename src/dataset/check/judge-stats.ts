import { counted } from "../../base/format.ts";
import type { DatasetStats, PreparedDataset, SplitOverlap } from "../../contract/generated/types.ts";
import { publishedCounts } from "../prepare/published-counts.ts";
import { type Finding, finding, firstOf } from "./finding.ts";

/**
 * What the figures of a data set say about its tables, its counts and its splits; pure.
 *
 * @param mend how to make the tables anew.
 */
export function judgeStats(stats: DatasetStats, mend: string): Finding[] {
  return [
    ...stats.table_checks.map(({ expected, num_checked, num_wrong, examples }) =>
      num_wrong === 0
        ? finding("ok", expected, `all ${num_checked}`)
        : finding(
            "FAIL",
            expected,
            `${num_wrong} of ${num_checked} do not: ${firstOf(examples, num_wrong)}; ${mend}`,
          ),
    ),
    counts(stats.facts),
    ...stats.overlaps.map((overlap) => leakage(overlap, stats.facts)),
  ];
}

/** A set by a published name that has other counts is not that set; but images left out on purpose explain it. */
function counts({ name, split_by, deviations, dropped }: PreparedDataset): Finding {
  const what = "counts are the published ones";
  if (publishedCounts(name, split_by) === undefined)
    return finding("ok", what, "nobody has published any for this data set");
  if (deviations.length === 0) return finding("ok", what, "every split");
  const list = firstOf(deviations);
  return dropped.num_images > 0
    ? finding(
        "note",
        what,
        `${list}; left out with ${counted(dropped.num_images, "picture")} that cannot be used, so figures are not comparable`,
      )
    : finding(
        "FAIL",
        what,
        `${list}; nothing was left out, so these are not the published annotations: get others, or prepare them under a name of your own`,
      );
}

/** What is in two splits was seen before it was asked. */
function leakage(overlap: SplitOverlap, { split_by }: PreparedDataset): Finding {
  const { first, second, num_images, num_identical_pixels, num_sentences, examples } = overlap;
  const what = `${first} and ${second} share no image`;
  const twins = num_identical_pixels ?? 0;
  if (num_images === 0 && twins === 0)
    return finding(
      "ok",
      what,
      num_identical_pixels === null
        ? "by id and file name; pixels were not compared"
        : "by id, file name and pixels",
    );
  if (num_images === 0)
    return finding(
      // Published splits stay as they are; a person's own can be mended.
      split_by === "own" ? "FAIL" : "note",
      what,
      `${counted(twins, "picture")} of ${second} with the pixels of another one in ${first}: ${firstOf(examples, twins)}${
        split_by === "own" ? "; keep each picture in one split and prepare it again" : ""
      }`,
    );
  const more = twins === 0 ? "" : `; ${twins} more by ${twins === 1 ? "its" : "their"} pixels`;
  const shared = `${counted(num_images, "picture")} in both, ${counted(num_sentences, "sentence")} with the same box and words: ${firstOf(examples.slice(0, num_images), num_images)}${more}`;
  if (split_by === "google")
    return finding(
      "note",
      what,
      `${shared}; the google split parts objects, not images: prefer umd for what you report`,
    );
  return finding(
    "FAIL",
    what,
    split_by === "own"
      ? `${shared}; keep each image in one split, or give no split and let it be made by image`
      : `${shared}; the ${split_by} split shares none, so the annotations are not the published ones`,
  );
}
