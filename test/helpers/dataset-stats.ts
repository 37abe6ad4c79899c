import type {
  DatasetStats,
  PreparedDataset,
  SplitOverlap,
  SplitStats,
} from "../../src/contract/generated/types.ts";
import type { DatasetProfile } from "../../src/dataset/card/profile.ts";

/** Dataset statistics with the longest numbers that occur. */
export function datasetStats(
  splits: SplitStats["split"][],
  facts: Partial<PreparedDataset> = {},
  changes: Partial<DatasetStats> = {},
): DatasetStats {
  return {
    facts: { ...preparedFacts, ...facts },
    num_objects: 208_960,
    num_coco_train2014: 0,
    word_bins: [
      [1, 2],
      [3, 5],
      [6, 8],
      [9, 10],
      [11, 15],
      [16, 20],
      [21, null],
    ].map(([min_words, max_words]) => ({ min_words: min_words ?? 0, max_words: max_words ?? null })),
    area_cuts: { refcocog_low: 0.09, refcocog_high: 0.2, own_low: 0.0811, own_high: 0.2775 },
    splits: splits.map(splitStats),
    overlaps: splits.slice(1).map((second) => overlap({ second })),
    table_checks: [{ expected: "sentences' ids are unique", num_checked: 9, num_wrong: 0, examples: [] }],
    examples: [],
    ...changes,
  };
}

export function overlap(changes: Partial<SplitOverlap> = {}): SplitOverlap {
  return {
    first: "train",
    second: "val",
    num_images: 0,
    num_identical_pixels: null,
    num_refs: 0,
    num_objects: 0,
    num_sentences: 0,
    examples: [],
    ...changes,
  };
}

export function profile(stats: DatasetStats, changes: Partial<DatasetProfile> = {}): DatasetProfile {
  return {
    stats,
    kind: "own",
    folder: "/data/mine",
    sizes: ["squash to 224 px"],
    command: "cliprpn prepare mine",
    ...changes,
  };
}

export const preparedFacts: PreparedDataset = {
  format_version: 1,
  id: "0123456789abcdef",
  name: "mine",
  split_by: "own",
  source: {
    layout: "rows",
    format: "jsonl",
    files: [{ file: "/a b/rows.jsonl", split: null }],
    box_format: "xyxy",
    columns: { image: "image", sentence: "sentence", box: "bbox", split: "split" },
    split_seed: 3,
  },
  annotation_files: [{ file: "/a b/rows.jsonl", bytes: 1, mtime_ms: 1, sha256: "0".repeat(64) }],
  images_dir: "/photos",
  max_pixels: 1_000_000,
  follow_links: false,
  allow_missing: false,
  pictures_sha256: "0".repeat(64),
  dropped: { num_images: 0, num_refs: 0, num_sentences: 0 },
  splits: [],
  split_rule: "by image, with seed 3",
  deviations: [],
  notes: [],
  prepared_at: "2026-11-24T20:00:00Z",
  cliprpn_version: "0.1.0",
};

function splitStats(split: SplitStats["split"]): SplitStats {
  const spread = { min: 0.01, p5: 0.047, p25: 0.075, p50: 0.13, p75: 0.24, p95: 0.948, max: 1, mean: 0.2 };
  return {
    split,
    num_images: 21_899,
    num_refs: 42_226,
    num_sentences: 80_512,
    words: { min: 1, p5: 2.5, p25: 4, p50: 7.5, p75: 10, p95: 16.5, max: 43, mean: 8.4 },
    word_histogram: [1000, 9512, 40_000, 10_000, 10_000, 9000, 1000],
    num_left_right: 8051,
    num_non_ascii: 71,
    num_repeated: 12,
    areas: {
      quantiles: spread,
      refcocog_shares: { small: 0.333, medium: 0.334, large: 0.333 },
      own_shares: { small: 0.3, medium: 0.4, large: 0.3 },
    },
    same_category: { one: 20_128, two: 20_128, three_or_more: 40_256, unknown: 0 },
    num_categories: 80,
    top_categories: [
      "person",
      "dining table",
      "sports ball",
      "hair drier",
      "parking meter",
      "bus",
      "a|b",
    ].map((category, index) => ({ category, num_sentences: 20_000 - index * 900 })),
    objects_per_image: { min: 1, p5: 2.5, p25: 4, p50: 7.5, p75: 10, p95: 16.5, max: 43, mean: 8.4 },
    aspects: { min: 0.3, p5: 0.66, p25: 0.75, p50: 1.33, p75: 1.33, p95: 1.78, max: 3, mean: 1.2 },
    floors: [
      { name: "whole_image", miou: 0.185, acc_at_50: 0.052 },
      { name: "constant_box", miou: 0.238, acc_at_50: 0.197 },
    ],
  };
}
