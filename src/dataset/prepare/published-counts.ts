import { count } from "../../base/format.ts";
import type { PreparedDataset } from "../../contract/generated/types.ts";

/** The counts of a split. */
type Counts = readonly [num_images: number, num_refs: number, num_sentences: number];

/** Counts per split as published: Mao et al. 2016 and Nagaraja et al. 2016 (RefCOCOg), Yu et al. 2016 (RefCOCO, RefCOCO+). */
const published: Record<string, Record<string, Counts>> = {
  "refcocog-umd": {
    train: [21_899, 42_226, 80_512],
    val: [1_300, 2_573, 4_896],
    test: [2_600, 5_023, 9_602],
  },
  "refcocog-google": { train: [24_698, 44_822, 85_474], val: [4_650, 5_000, 9_536] },
  "refcoco-unc": {
    train: [16_994, 42_404, 120_624],
    val: [1_500, 3_811, 10_834],
    testA: [750, 1_975, 5_657],
    testB: [750, 1_810, 5_095],
  },
  "refcoco+-unc": {
    train: [16_992, 42_278, 120_191],
    val: [1_500, 3_805, 10_758],
    testA: [750, 1_975, 5_726],
    testB: [750, 1_798, 4_889],
  },
};

/** The RefCOCO family: datasets with their published splits, the default first. */
export const publishedSplits: Record<
  string,
  readonly [PreparedDataset["split_by"], ...PreparedDataset["split_by"][]]
> = {
  refcocog: ["umd", "google"],
  refcoco: ["unc"],
  "refcoco+": ["unc"],
};

/** The published counts of a dataset, by split; undefined if there are none. */
export function publishedCounts(name: string, split_by: string): Record<string, Counts> | undefined {
  return published[name.endsWith(`-${split_by}`) ? name : `${name}-${split_by}`];
}

/** The counts that differ from the published ones, one line each; empty for a dataset without published counts. */
export function deviations(name: string, split_by: string, splits: PreparedDataset["splits"]): string[] {
  const expected = publishedCounts(name, split_by);
  if (expected === undefined) return [];
  const names = new Set([...Object.keys(expected), ...splits.map(({ split }) => split)]);
  return [...names].flatMap((split) => {
    const counts = splits.find((entry) => entry.split === split);
    const expectedCounts = expected[split] ?? [0, 0, 0];
    const actualCounts = [counts?.num_images ?? 0, counts?.num_refs ?? 0, counts?.num_sentences ?? 0];
    return ["images", "referred objects", "referring expressions"].flatMap((unit, index) => {
      const [wanted = 0, actual = 0] = [expectedCounts[index], actualCounts[index]];
      return wanted === actual ? [] : [`${split}: expected ${count(wanted)} ${unit}, found ${count(actual)}`];
    });
  });
}
