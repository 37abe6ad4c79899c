import { join } from "node:path";
import { expect, test } from "vitest";
import type { ClipRpnSpec, TrialSpec } from "../../src/contract/generated/types.ts";
import { folderName } from "../../src/sweep/estimate/feature-needs.ts";
import { isAllMade } from "../../src/sweep/run/already-made.ts";
import { madeData, specIn } from "../helpers/estimated-sweep.ts";
import { addFeatures, addPixels, addStore } from "../helpers/made-features.ts";
import { madeBaselineSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const maps = { dataset_id: "data", pixels_id: "p1", weights_id: "made" };

function withViews(work: string, views: number): ClipRpnSpec {
  return specIn(work, "film", 0, { views });
}

function baseline(work: string, label: string): TrialSpec {
  return { ...madeBaselineSpec(label, { best_box: 0.5 }), cache_dir: join(work, "cache") };
}

test.each<[what: string, make: (work: string) => void, isMade: boolean]>([
  ["all features", addFeatures, true],
  ["a dataset that is not prepared", () => undefined, false],
  ["no features", (work) => addPixels(madeData(work).root), false],
  [
    "image features without those of expressions",
    (work) => {
      addPixels(madeData(work).root);
      addStore(work, folderName("maps", maps), { "manifest.json": "{}" });
    },
    false,
  ],
])("whether trials on the CPU have what they share: %s", (_, make, isMade) => {
  const work = tempFolder();
  const spec = specIn(work, "film", 0);
  make(work);
  expect(isAllMade([spec, specIn(work, "token", 1)], "cpu")).toBe(isMade);
});

test("features of the CPU do not count for GPUs, nor any where no device is known or a worker is warm", () => {
  const work = tempFolder();
  addFeatures(work);
  const devices = ["cuda", "cuda:1", null, undefined];
  expect(devices.map((device) => isAllMade([specIn(work, "film", 0)], device))).toEqual(
    devices.map(() => false),
  );
});

test("views count, up to the most that a trial has", () => {
  const work = tempFolder();
  addFeatures(work);
  const addView = (number: number): void =>
    addStore(work, folderName("view", { ...maps, views: "1", seed: 0, number }), { "manifest.json": "{}" });
  const areMade = (): boolean[] => [1, 2].map((views) => isAllMade([withViews(work, views)], "cpu"));
  addView(1);
  const text = { dataset_id: "data", weights_id: "made", text: "openai-bpe-1" };
  expect(areMade()).toEqual([false, false]); // Without mirrored expressions.
  addStore(work, folderName("mirrored", { ...text, views: "1" }), { "manifest.json": "{}" });
  expect(areMade()).toEqual([true, false]);
  addView(2);
  expect(areMade()).toEqual([true, true]);
});

test("a baseline that shares nothing needs nothing; only Python knows what several of them share", () => {
  const work = tempFolder();
  expect(isAllMade([baseline(work, "one")], "cpu")).toBe(true);
  expect(isAllMade([baseline(work, "one"), baseline(work, "other")], "cpu")).toBe(false);
});
