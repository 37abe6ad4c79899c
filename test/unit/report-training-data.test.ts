import { describe, expect, test } from "vitest";
import type { ImageOriginCount } from "../../src/contract/generated/types.ts";
import { render } from "../../src/report/markdown.ts";
import type { TrainingPart } from "../../src/report/report-input.ts";
import { reportJson } from "../../src/report/report-json.ts";
import { leakageLines, trainingData } from "../../src/report/sections/training-data.ts";
import { findTrainingSets, type ImageOrigin } from "../../src/report/training-data/known-sets.ts";
import { overlapOf } from "../../src/report/training-data/overlap.ts";
import { madeInput } from "../helpers/report-input.ts";

function images(counts: Partial<Record<ImageOrigin, number>>): ImageOriginCount[] {
  return Object.entries(counts).map(([origin, num_images]) => ({
    origin: origin as ImageOrigin,
    num_images,
  }));
}

const refcoco = images({ coco_train2014: 1300 });

describe("the images that training sets share with a dataset", () => {
  test.each<[string, string[] | null, Partial<Record<ImageOrigin, number>>, string]>([
    ["all of RefCOCO's are in train2014", ["COCO train2014"], { coco_train2014: 1300 }, "all 1,300"],
    ["and in train2017", ["coco"], { coco_train2014: 1300 }, "all 1,300"],
    ["val2014 is not in train2014", ["coco train 2014"], { coco_val2014: 7 }, "none"],
    ["but in part in train2017", ["COCO 2017"], { coco_val2014: 7 }, "some of 7"],
    ["the test of another RefCOCO", ["RefCOCOg"], { coco_train2014: 5 }, "some of 5"],
    [
      "Visual Genome has images of COCO",
      ["VG"],
      { coco_train2014: 5, visual_genome: 3 },
      "3 of 8 and some of 5",
    ],
    ["GoldG", ["GoldG"], { flickr30k: 4 }, "some of 4"],
    ["undeclared", null, { coco_train2014: 5 }, "not known"],
    ["an unknown name", ["my photos"], { coco_train2014: 5 }, "not known"],
    ["an unknown name beside a known one", ["my photos", "COCO"], { coco_train2014: 5 }, "all 5"],
    ["an unknown name takes a none back", ["my photos", "COCO train2014"], { coco_val2014: 5 }, "not known"],
    ["nothing at all", ["none"], { coco_train2014: 5, other: 2 }, "none"],
    ["images of unknown origin", ["COCO"], { coco_train2014: 5, other: 2 }, "5 of 7 and not known of 2"],
    ["Grounding DINO T saw GoldG", ["grounding-dino-tiny"], { coco_train2014: 5 }, "some of 5"],
    ["Grounding DINO B saw COCO", ["groundingdino_swinb_cogcoor"], { coco_train2014: 5 }, "all 5"],
  ])("%s", (_, trained_on, counts, expected) => {
    expect(overlapOf(trained_on, images(counts)).text).toBe(expected);
  });

  test("counts add up, and each reason is given once", () => {
    const origins = images({ coco_train2014: 10, coco_val2014: 4, other: 2 });
    const { num_seen, num_maybe, num_unknown, reasons } = overlapOf(["COCO", "MS-COCO"], origins);
    expect([num_seen, num_maybe, num_unknown, reasons.length]).toEqual([10, 4, 2, 1]);
  });

  test("every training set of a published model is known", () => {
    expect(findTrainingSets("groundingdino_swinb_cogcoor")).toHaveLength(7);
    expect(findTrainingSets("GLIP-T")?.map(({ name }) => name)).toEqual(["Objects365", "GoldG", "Cap4M"]);
    expect(findTrainingSets("refcoco+")?.[0]?.name).toBe("RefCOCO+");
    expect(findTrainingSets("RefCOCO")?.[0]?.name).toBe("RefCOCO");
  });
});

describe("the report's section on training data", () => {
  const section = (training: TrainingPart[], image_origins = refcoco, name = "mine"): string => {
    const input = madeInput([{ label: "film", acc: [0.5] }]);
    return render(
      trainingData({
        ...input,
        training,
        dataset: { ...input.dataset, name },
        summary: { ...input.summary, image_origins },
      }),
    );
  };
  const clip: TrainingPart = { name: "CLIP RN50", labels: "all", trained_on: null, source: "undeclared" };
  const yolo: TrainingPart = {
    name: "YOLO yolov8n",
    labels: ["crop"],
    trained_on: ["COCO train2017"],
    source: "file_name",
  };

  test("has a row for each weights, with the images that they have seen", () => {
    const text = section([clip, yolo]);
    expect(text).toMatch(/\| CLIP RN50 +\| all +\| undeclared +\| not known +\|/);
    expect(text).toMatch(
      /\| YOLO yolov8n +\| crop +\| COCO train2017 \(by the file's name\) +\| all 1,300 +\|/,
    );
    expect(text).toContain("1,300 of COCO train2014");
    expect(text).toContain("all 82,783 images of train2014");
    expect(text).toContain("--trained-on");
  });

  test("report.json and the terminal have the counts", () => {
    const input = madeInput([{ label: "film", acc: [0.5] }], { training: [clip, yolo] });
    input.summary.image_origins = images({ coco_train2014: 7, coco_val2014: 2, other: 1 });
    expect(reportJson(input).training_data).toEqual([
      {
        name: "CLIP RN50",
        trained_on: null,
        source: "undeclared",
        num_seen: 0,
        num_maybe_seen: 0,
        num_unknown: 10,
      },
      {
        name: "YOLO yolov8n",
        trained_on: ["COCO train2017"],
        source: "file_name",
        num_seen: 7,
        num_maybe_seen: 2,
        num_unknown: 1,
      },
    ]);
    expect(leakageLines(input)).toEqual([
      expect.stringMatching(/^YOLO yolov8n: .*COCO train2017.* 7 of 10.*val$/),
    ]);
  });

  test("names of a person cannot break the table", () => {
    const odd = { ...yolo, trained_on: ["a | b\\|", "<b>"], source: "declared" as const };
    expect(section([odd])).toContain("a \\| b");
  });

  test.each([
    ["the demo", [clip], refcoco, "demo"],
    ["a summary of an earlier version", [clip], [], "mine"],
  ])("is left out for %s", (_, training, origins, name) => {
    expect(section(training, origins, name)).toBe("");
  });
});
