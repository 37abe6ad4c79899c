import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PreparedDataset, Report } from "../../src/contract/generated/types.ts";
import type { Shape } from "../bench/full-shape.ts";

/** A prepared dataset has exactly these counts, and none that differs from the published ones if `isFull`. */
export function checkDataset(root: string, shape: Shape[], isFull: boolean): void {
  const facts: PreparedDataset = JSON.parse(readFileSync(join(root, "dataset.json"), "utf8"));
  assert.deepEqual(
    facts.splits.map(({ split, num_images, num_refs, num_sentences }) => ({
      split,
      num_images,
      num_refs,
      num_sentences,
    })),
    shape,
  );
  if (isFull) assert.deepEqual(facts.deviations, []);
}

/** The cache has one map for each image, and one text for each expression and the empty one. */
export function checkFeatures(cache: string, shape: Shape[]): void {
  const sum = (key: "num_images" | "num_sentences"): number =>
    shape.reduce((total, counts) => total + counts[key], 0);
  assert.equal(numRows(cache, "maps", "maps"), sum("num_images"));
  assert.equal(numRows(cache, "text", "pooled"), sum("num_sentences") + 1);
}

/** The length of an array of the only store of this kind. */
function numRows(cache: string, kind: string, array: string): number {
  const folders = readdirSync(join(cache, "features")).filter((name) => name.startsWith(`${kind}-`));
  assert.equal(folders.length, 1);
  const file = join(cache, "features", folders[0] ?? "", "manifest.json");
  return JSON.parse(readFileSync(file, "utf8")).arrays[array].shape[0];
}

/** The report's table has every configuration, evaluated on every expression of the split. */
export function checkReport(sweep: string, split: string, shape: Shape[]): void {
  const expected = shape.find((counts) => counts.split === split);
  const suffix = split === "val" ? "" : `-${split}`;
  const report: Report = JSON.parse(readFileSync(join(sweep, `report${suffix}.json`), "utf8"));
  assert.equal(report.split, split);
  assert.equal(report.summary.num_sentences, expected?.num_sentences);
  assert.equal(report.summary.num_images, expected?.num_images);
  const page = readFileSync(join(sweep, `REPORT${suffix}.md`), "utf8");
  for (const label of ["film", "token_attention"])
    assert.match(page, new RegExp(`^\\| ${label} \\|.* \\d+\\.\\d \\(`, "m"));
}
