import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashFileSync } from "../../src/base/hash-file.ts";
import type { BaselineSpec } from "../../src/contract/generated/types.ts";
import type { Plan, PlanContext } from "../../src/experiment/plan.ts";
import { trainingParts } from "../../src/sweep/results/training-parts.ts";
import { errorOf } from "../helpers/error-of.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { plan as planExperiment } from "../helpers/written-experiment.ts";

const context: PlanContext = {
  dataset: { id: "data-1", name: "mine", root: "/data", split_by: "own" },
  backbone: { name: "RN50-quickgelu", weights: "openai", weights_id: "openai" },
  sources_sha256: { cliprpn: "a".repeat(64), baseline: "a".repeat(64) },
  device: "cpu",
  cache_dir: "/cache",
};

/** A folder with files of boxes and weights. */
function filledFolder(): string {
  const folder = tempFolder();
  for (const name of ["boxes.json", "other.json", "yolov8n.onnx", "mine.onnx"])
    writeFileSync(join(folder, name), name);
  return folder;
}

function plan(folder: string, detectors: unknown[], more: object = {}): Plan {
  return planExperiment({ vary: { "baseline.detector": detectors }, ...more }, context, folder);
}

test("what weights were trained on is in the plan by the content of the file, and in no trial's id", () => {
  const folder = filledFolder();
  const without = plan(folder, [
    { kind: "file", file: "boxes.json" },
    { kind: "yolo", weights: "mine.onnx" },
  ]);
  const declared = plan(
    folder,
    [
      { kind: "file", file: "boxes.json", trained_on: ["GoldG", "Objects365"] },
      { kind: "yolo", weights: "mine.onnx", trained_on: ["none"] },
    ],
    { backbone: { name: "RN50-quickgelu", trained_on: ["WIT"] } },
  );
  expect(declared.trials.map(({ trial_id }) => trial_id)).toEqual(
    without.trials.map(({ trial_id }) => trial_id),
  );
  expect(without).not.toHaveProperty("trained_on");
  expect(declared.trained_on).toEqual({
    backbone: ["WIT"],
    detectors: {
      [hashFileSync(join(folder, "boxes.json"))]: ["GoldG", "Objects365"],
      [hashFileSync(join(folder, "mine.onnx"))]: ["none"],
    },
  });
});

test("a shared detector of the settings is declared, too", () => {
  const folder = filledFolder();
  const detector = { kind: "file", file: "boxes.json", trained_on: ["COCO"] };
  const { trained_on } = plan(folder, [], {
    vary: { "baseline.ranking": ["crop", "blur"] },
    settings: { baseline: { detector } },
  });
  expect(Object.values(trained_on?.detectors ?? {})).toEqual([["COCO"]]);
});

test("the report has each weights once, with what is declared or known", () => {
  const folder = filledFolder();
  const { trials, trained_on } = plan(
    folder,
    [
      { kind: "file", file: "boxes.json", trained_on: ["GoldG"] },
      { kind: "file", file: "other.json" },
      { kind: "yolo", weights: "yolov8n.onnx" },
      "faster_rcnn",
      "gt_boxes",
    ],
    { seeds: [0] },
  );
  const parts = trainingParts(trials as BaselineSpec[], trained_on);
  expect(parts.map((part) => [part.name, part.trained_on, part.source])).toEqual([
    ["CLIP RN50-quickgelu", null, "undeclared"],
    ["boxes of boxes.json", ["GoldG"], "declared"],
    ["boxes of other.json", null, "undeclared"],
    ["YOLO yolov8n", ["COCO train2017"], "file_name"],
    ["Faster R-CNN resnet50_fpn_v2", ["COCO train2017"], "known"],
  ]);
});

test.each<[string, unknown, RegExp]>([
  ["no list", "COCO", /trained_on/],
  ["an empty list", [], /trained_on/],
  ["a line break in a name", ["a\nb"], /trained_on/],
])("%s is a problem of the experiment", (_, trained_on, message) => {
  const folder = filledFolder();
  const error = errorOf(() => plan(folder, [{ kind: "file", file: "boxes.json", trained_on }]));
  expect(error).toMatchObject({ code: "bad_input", message: expect.stringMatching(message) });
});

test("annotated boxes were trained on nothing that could be declared", () => {
  const error = errorOf(() => plan(filledFolder(), [{ kind: "gt_boxes", trained_on: ["COCO"] }]));
  expect(error).toMatchObject({
    message: expect.stringMatching(/trained_on: only valid for yolo, .*gt_boxes/),
  });
});
