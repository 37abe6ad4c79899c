import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { BaselineSpec, Detector, TrialSpec } from "../../src/contract/generated/types.ts";
import type { ReadOptions } from "../../src/experiment/check-experiment.ts";
import { type PlanContext, planSweep } from "../../src/experiment/plan.ts";
import { baselineDefaults, trainedYolo } from "../../src/experiment/presets.ts";
import { readCommandExperiment, readExperiment } from "../../src/experiment/read-experiment.ts";
import { packageRoot } from "../../src/package-root.ts";
import { errorOf } from "../helpers/error-of.ts";
import { messagesLike } from "../helpers/messages-like.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import {
  head,
  numbers,
  planContext,
  plan as planExperiment,
  problems,
  read,
} from "../helpers/written-experiment.ts";

const trial = "runs/trials/0123456789abcdef/attempts/1";

describe("a plan with baselines", () => {
  test("runs each baseline once, after the ClipRPNs of the first seed", () => {
    const trials = plan({
      vary: { fusion: ["film", "concatenation"] },
      also: [{ "baseline.detector": "gt_boxes" }, { preset: "reference" }, { "baseline.ranking": "blur" }],
      seeds: [7, 3],
    });
    expect(trials.map(({ seed, label }) => `${seed} ${label}`)).toEqual([
      "7 film",
      "7 concatenation",
      "7 reference",
      "7 ground-truth boxes, crop",
      "7 YOLO trained here, blur",
      "3 film",
      "3 concatenation",
      "3 reference",
    ]);
  });

  test("with only baselines runs each once, whatever the seeds", () => {
    const trials = plan({ vary: { "baseline.detector": ["gt_boxes", "yolo"] }, seeds: [1, 2, 3] });
    expect(trials.map(({ kind, seed }) => `${kind} ${seed}`)).toEqual(["baseline 1", "baseline 1"]);
  });

  test("counts each baseline once towards the maximum number of trials", () => {
    const vary = { "baseline.max_boxes": numbers(1000), "limits.val": numbers(101) };
    expect(problems({ vary, seeds: [1, 2] })).toEqual(messagesLike(["4:10  vary: … 101000 … 100000…"]));
  });

  test("fills in all settings: the shared ones, then those of one configuration", () => {
    const [spec] = plan({
      settings: {
        baseline: { detector: "gt_boxes", templates: ["a photo of {}"], max_boxes: 5 },
        limits: { val: 9 },
      },
      also: [{ "baseline.max_boxes": 7, "limits.test": 3 }],
    });
    expect(spec).toMatchObject({
      kind: "baseline",
      baseline: {
        ...baselineDefaults,
        detector: { kind: "gt_boxes" },
        templates: ["a photo of {}"],
        max_boxes: 7,
      },
      limits: { train: null, val: 9, test: 3 },
    });
  });

  test("has one whole-image trial, however many rankings the grid has", () => {
    const trials = plan({
      vary: {
        "baseline.ranking": ["circle", "crop"],
        "baseline.detector": ["whole_image", "gt_boxes"],
        "baseline.score_thresh": [0.1, 0.2],
      },
    });
    expect(trials.map(({ label }) => label)).toEqual([
      "whole image",
      "ground-truth boxes, circle, score >= 0.1",
      "ground-truth boxes, circle, score >= 0.2",
      "ground-truth boxes, crop, score >= 0.1",
      "ground-truth boxes, crop, score >= 0.2",
    ]);
  });

  test("does not change the settings of a ClipRPN", () => {
    const without = plan({ also: [{ fusion: "film" }] });
    const together = plan({
      also: [{ fusion: "film" }, { "baseline.detector": "gt_boxes" }],
      settings: { baseline: { max_boxes: 5 } },
    });
    expect(together[0]).toEqual(without[0]);
  });
});

describe("a label", () => {
  test.each<[detector: unknown, label: string]>([
    ["yolo", "YOLO trained here, crop"],
    [
      { kind: "trained_yolo", num_epochs: 3, image_size_px: 640 },
      "YOLO trained here (3 epochs, 640 px), crop",
    ],
    [{ kind: "yolo", weights: "yolov5su" }, "YOLO yolov5su, crop"],
    [{ kind: "yolo", weights: "yolov5su", image_size_px: 320 }, "YOLO yolov5su (320 px), crop"],
    [{ kind: "yolox", weights: "yolox_nano" }, "YOLOX yolox_nano, crop"],
    ["faster_rcnn", "Faster R-CNN resnet50_fpn_v2, crop"],
    [{ kind: "faster_rcnn", weights: "mine.pth" }, "Faster R-CNN resnet50_fpn_v2 (mine), crop"],
    [{ kind: "file", file: "dets.json" }, "boxes of dets.json, crop"],
    [{ kind: "file", file: "dets.json", box_format: "xyxy_1000" }, "boxes of dets.json (xyxy_1000), crop"],
    [{ kind: "rpn", model: trial }, "RPN of 01234567, crop"],
    [{ kind: "rpn", model: "other.safetensors" }, "RPN of other.safetensors, crop"],
    ["gt_boxes", "ground-truth boxes, crop"],
    ["whole_image", "whole image"],
  ])("of %j is %s", (detector, label) => {
    expect(plan({ also: [{ "baseline.detector": detector }] }).map((spec) => spec.label)).toEqual([label]);
  });

  test.each<[setting: object, label: string]>([
    [{ "baseline.ranking": "crop+blur" }, "ground-truth boxes, crop+blur"],
    [{ "baseline.category_prior": true }, "ground-truth boxes, crop, category prior"],
    [{ "baseline.templates": ["{}", "the {}"] }, "ground-truth boxes, crop, 2 templates"],
    [{ "baseline.templates": ["the {}"] }, 'ground-truth boxes, crop, "the {}"'],
    [
      { "baseline.nms_thresh": 0.5, "baseline.max_boxes": 9, "limits.val": 4 },
      "ground-truth boxes, crop, NMS 0.5, at most 9 boxes, val=4",
    ],
  ])("names the other keys that vary: %j", (setting, label) => {
    const settings = { baseline: { detector: "gt_boxes" } };
    expect(plan({ settings, also: [setting] }).map((spec) => spec.label)).toEqual([label]);
  });
});

describe("a detector", () => {
  test.each<[choice: unknown, detector: object]>([
    ["yolo", trainedYolo],
    [
      { kind: "yolo", weights: "yolov5su" },
      { kind: "yolo", file: "weights/yolov5su.onnx", image_size_px: null, classes: null },
    ],
    [
      { kind: "yolo", weights: "mine.onnx" },
      { kind: "yolo", file: "mine.onnx", image_size_px: null, classes: null },
    ],
    [
      { kind: "yolox", weights: "shared" },
      { kind: "yolox", file: "elsewhere/shared.onnx", classes: null },
    ],
    [
      { kind: "yolox", weights: "yolox_nano", classes: ["cat"] },
      { kind: "yolox", file: "weights/yolox_nano.onnx", classes: ["cat"] },
    ],
    [
      "faster_rcnn",
      { kind: "faster_rcnn", variant: "resnet50_fpn_v2", file: "coco", sha256: "coco", classes: null },
    ],
    [
      { kind: "rpn", model: trial },
      { kind: "rpn", file: `${trial}/best.safetensors` },
    ],
  ])("%j is resolved to its file and hash", (choice, detector) => {
    const folder = filledFolder();
    const resolved = detectorOf(choice, folder);
    const file =
      "file" in detector && detector.file !== "coco" ? join(folder, String(detector.file)) : undefined;
    expect(resolved).toMatchObject({ ...detector, ...(file === undefined ? {} : { file }) });
    if (file !== undefined) expect(resolved).toHaveProperty("sha256", sha256OfEmpty);
  });

  test("in a .pt file needs --trust-weights, and an .onnx file of the same name comes first", () => {
    const folder = filledFolder();
    const choice = { kind: "yolo", weights: "both" };
    writeFileSync(join(folder, "weights/both.pt"), "");
    expect(errorOf(() => detectorOf(choice, folder)).message).toMatch(/both\.pt: .*--trust-weights/);
    expect(detectorOf(choice, folder, { trustWeights: true })).toHaveProperty(
      "file",
      join(folder, "weights/both.pt"),
    );
    writeFileSync(join(folder, "weights/both.onnx"), "");
    expect(detectorOf(choice, folder)).toHaveProperty("file", join(folder, "weights/both.onnx"));
  });
});

describe("trial_id of a baseline", () => {
  const idOf = (
    baseline: object,
    changed: Partial<PlanContext> = {},
    more: object = {},
  ): string | undefined =>
    plan({ settings: { baseline }, also: [{ "baseline.ranking": "crop" }], ...more }, changed)[0]?.trial_id;
  const first = (): string | undefined => idOf({});

  test.each<[what: string, id: () => string | undefined]>([
    ["seed", () => idOf({}, {}, { seeds: [5] })],
    [
      "device, cache and sources",
      () =>
        idOf(
          {},
          {
            device: "cuda:0",
            cache_dir: "/b",
            sources_sha256: { cliprpn: "b".repeat(64), baseline: "b".repeat(64) },
          },
        ),
    ],
    ["folder of the dataset", () => idOf({}, { dataset: { ...planContext.dataset, root: "/b", name: "b" } })],
    ["spelling of the default", () => idOf({ detector: { kind: "trained_yolo" }, score_thresh: 0.25 })],
  ])("does not depend on the %s", (_, id) => {
    expect(id()).toBe(first());
  });

  test.each<[what: string, id: () => string | undefined]>([
    ["detector", () => idOf({ detector: "gt_boxes" })],
    [
      "number of epochs of a trained detector",
      () => idOf({ detector: { kind: "trained_yolo", num_epochs: 2 } }),
    ],
    ["any setting", () => idOf({ score_thresh: 0.3 })],
    ["limits", () => idOf({}, {}, { settings: { limits: { val: 3 } } })],
    ["data", () => idOf({}, { dataset: { ...planContext.dataset, id: "data-2" } })],
    ["backbone", () => idOf({}, { backbone: { ...planContext.backbone, weights_id: "weights-2" } })],
    ["number of threads", () => idOf({}, {}, { num_threads: 2 })],
  ])("depends on the %s", (_, id) => {
    expect(id()).not.toBe(first());
  });

  test("depends on the content of a detector's file and on its classes, not on its path", () => {
    const folder = tempFolder();
    for (const [name, content] of Object.entries({ a: "one", b: "one", c: "two" }))
      writeFileSync(join(folder, `${name}.onnx`), content);
    const of = (file: string, more: object = {}): string | undefined =>
      plan({ also: [{ "baseline.detector": { kind: "yolox", weights: file, ...more } }] }, {}, folder)[0]
        ?.trial_id;
    expect(of("b.onnx")).toBe(of("a.onnx"));
    expect(new Set([of("a.onnx"), of("c.onnx"), of("a.onnx", { classes: ["cat"] })]).size).toBe(3);
  });
});

describe("a problem of a baseline names its place", () => {
  const detector = (choice: unknown): object => ({ also: [{ "baseline.detector": choice }] });

  test.each<[what: string, experiment: object, expected: string[]]>([
    [
      "misspelled detector",
      detector("yool"),
      [
        '6:25  also[0].baseline.detector: … yolo, trained_yolo, faster_rcnn, gt_boxes, whole_image … "yool". Did you mean yolo?',
      ],
    ],
    [
      "kind that needs a file",
      { settings: { baseline: { detector: "rpn" } }, ...detector("yolo") },
      [
        '6:16  settings.baseline.detector: … yolo, trained_yolo, faster_rcnn, gt_boxes, whole_image … "rpn". Did you mean {"kind": "rpn", "model": "TRIAL"}?',
      ],
    ],
    [
      "weights in place of a detector",
      { vary: { "baseline.detector": ["gt_boxes", "yolov8n"] } },
      [
        '7:4  vary.baseline.detector[1]: … yolo, trained_yolo, faster_rcnn, gt_boxes, whole_image … "yolov8n". Did you mean {"kind": "yolo", "weights": "yolov8n"}?',
      ],
    ],
    [
      "missing kind",
      detector({ weights: "yolov8n" }),
      [
        "6:25  also[0].baseline.detector: … kind (yolo, trained_yolo, yolox, faster_rcnn, file, rpn, gt_boxes or whole_image)",
      ],
    ],
    [
      "keys of other kinds",
      detector({ kind: "yolo", weights: "nope.onnx", variant: "mobilenet_v3_large_fpn", num_epochs: 2 }),
      [
        "8:16  also[0].baseline.detector.weights: … no file FOLDER/nope.onnx; …",
        "9:16  also[0].baseline.detector.variant: … faster_rcnn, … yolo",
        "10:19  also[0].baseline.detector.num_epochs: … trained_yolo, … yolo",
      ],
    ],
    [
      "missing weights that are published",
      detector({ kind: "yolo", weights: "yolov8n" }),
      [
        "8:16  also[0].baseline.detector.weights: … yolov8n.onnx or yolov8n.pt in FOLDER/weights, … https://github.com/ultralytics/assets/releases/download/v8.3.0/yolov8n.pt (AGPL-3.0) … FOLDER/weights/…",
      ],
    ],
    [
      "missing weights of YOLOX by their path",
      detector({ kind: "yolox", weights: "sub/yolox_tiny.onnx" }),
      [
        "8:16  also[0].baseline.detector.weights: … no file FOLDER/sub/yolox_tiny.onnx; … https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_tiny.onnx (Apache-2.0) … FOLDER/weights/",
      ],
    ],
    [
      "weights of another kind",
      detector({ kind: "yolo", weights: "yolox_tiny" }),
      [
        '8:16  also[0].baseline.detector.weights: … yolox_tiny.onnx or yolox_tiny.pt in FOLDER/weights, … "kind": "yolox"',
      ],
    ],
    [
      "misspelled weights",
      detector({ kind: "yolo", weights: "yolo8n" }),
      [
        "8:16  also[0].baseline.detector.weights: … yolo8n.onnx or yolo8n.pt in FOLDER/weights, … Did you mean yolov8n?",
      ],
    ],
    [
      "weights of the YOLOv5 repository",
      detector({ kind: "yolo", weights: "yolov5s" }),
      [
        '8:16  also[0].baseline.detector.weights: … yolov5s … yolov5su… {"kind": "file", "file": "detections.json"}',
      ],
    ],
    [
      "weights of another format",
      detector({ kind: "yolox", weights: "yolox_nano.pth" }),
      ["8:16  also[0].baseline.detector.weights: … .onnx … yolox_nano.pth"],
    ],
    [
      "YOLOX without weights",
      detector({ kind: "yolox" }),
      ['6:25  also[0].baseline.detector: … weights… {"kind": "yolox", "weights": "yolox_nano"}'],
    ],
    [
      "folder in place of a file of boxes",
      detector({ kind: "file", file: "sub" }),
      ["8:13  also[0].baseline.detector.file: … .json or .txt … FOLDER/sub"],
    ],
    [
      "folder without a model",
      detector({ kind: "rpn", model: "sub" }),
      ["8:14  also[0].baseline.detector.model: … no file FOLDER/sub/best.safetensors"],
    ],
    [
      "classes of the COCO weights",
      detector({ kind: "faster_rcnn", classes: ["a"] }),
      ["8:16  also[0].baseline.detector.classes: … 80 …"],
    ],
    [
      "image size too small for training",
      detector({ kind: "trained_yolo", image_size_px: 32 }),
      ["8:22  also[0].baseline.detector.image_size_px: … [64, 2048] … 32"],
    ],
    [
      "YOLO without weights on another dataset",
      { dataset: { root: "photos" }, vary: { "baseline.ranking": ["crop"] } },
      ["7:10  vary: … yolov5su… trained_yolo…"],
    ],
    [
      "missing dataset, without follow-up problems",
      { dataset: { root: "nowhere" }, also: [{ "baseline.ranking": "crop" }] },
      ["5:11  dataset.root: FOLDER/nowhere: … no such folder"],
    ],
    [
      "category prior with boxes that have no class",
      { settings: { baseline: { category_prior: true } }, ...detector("whole_image") },
      ["6:22  baseline.category_prior … whole_image …"],
    ],
    [
      "keys of both kinds in also",
      { also: [{ "baseline.detector": "gt_boxes", fusion: "film", "limits.val": 4 }] },
      ["7:14  also[0] has baseline.detector and fusion, …"],
    ],
    [
      "keys of both kinds in vary",
      { vary: { "baseline.detector": ["gt_boxes"], "training.num_epochs": [1] } },
      ["8:26  vary has baseline.detector and training.num_epochs, …"],
    ],
    [
      "settings of a baseline without baselines",
      { settings: { baseline: { ranking: "blur" } }, vary: { fusion: ["film"] } },
      ['6:15  settings.baseline.ranking has no effect, … "also": [{ "baseline.detector": "yolo" }]'],
    ],
    [
      "settings of a ClipRPN without ClipRPNs",
      {
        preset: "default",
        settings: { training: { num_epochs: 2 }, limits: { val: 3 } },
        ...detector("yolo"),
      },
      ["4:12  preset has no effect, …", "7:18  settings.training.num_epochs has no effect, …"],
    ],
    [
      "key that is both set and varied",
      { settings: { baseline: { ranking: "blur" } }, vary: { "baseline.ranking": ["crop"] } },
      ["6:15  settings.baseline.ranking has no effect, … baseline.ranking… vary.baseline.ranking"],
    ],
    [
      "two equal configurations",
      { also: [{ "baseline.detector": "yolo" }, { "baseline.detector": "trained_yolo" }] },
      ["8:3  YOLO trained here, crop is the same … YOLO trained here, crop…"],
    ],
    [
      "template without a placeholder",
      { settings: { baseline: { templates: ["a photo"] } }, ...detector("yolo") },
      ['7:5  settings.baseline.templates[0]: … {}… "a photo".'],
    ],
    [
      "key outside its group",
      { settings: { ranking: "crop" }, ...detector("yolo") },
      ["5:3  settings.ranking: … Did you mean baseline.ranking?"],
    ],
    [
      "group outside settings",
      { baseline: {}, ...detector("yolo") },
      ["4:14  baseline: … Did you mean settings.baseline?"],
    ],
    [
      "invalid detector, without follow-up problems",
      {
        settings: { baseline: { category_prior: true } },
        also: [{ "baseline.detector": { kind: "whole_picture" } }],
      },
      [
        '12:13  also[0].baseline.detector.kind: … yolo, trained_yolo, yolox, faster_rcnn, file, rpn, gt_boxes or whole_image, … "whole_picture". Did you mean whole_image?',
      ],
    ],
  ])("%s", (_, experiment, expected) => {
    const folder = filledFolder();
    expect(problems(experiment, [], folder)).toEqual(
      messagesLike(expected.map((line) => line.replaceAll("FOLDER", folder))),
    );
  });

  test("a model that is not found is reported with the message of findModel", () => {
    const findModel = (name: string): string => {
      throw new CliprpnError("not_found", `${name}: expected a trial, found none`);
    };
    expect(problems(detector({ kind: "rpn", model: "3f2a" }), [], tempFolder(), { findModel })).toEqual([
      "8:14  also[0].baseline.detector.model: 3f2a: expected a trial, found none",
    ]);
  });
});

describe("--set", () => {
  const grid = { vary: { "baseline.detector": ["gt_boxes"], "baseline.ranking": ["crop", "blur"] } };

  test("changes shared settings of baselines, and keys of vary", () => {
    const labels = (sets: string[]): string[] => plan(grid, {}, tempFolder(), sets).map(({ label }) => label);
    expect(labels(['vary.baseline.ranking=["circle"]'])).toEqual(["ground-truth boxes, circle"]);
    const [spec] = plan({ also: [{ "baseline.detector": "gt_boxes" }] }, {}, tempFolder(), [
      "baseline.ranking=blur",
    ]);
    expect(spec).toHaveProperty("baseline.ranking", "blur");
  });

  test("is named in problems", () => {
    expect(problems(grid, ["baseline.ranking=blr", "training.num_epochs=2"])).toEqual(
      messagesLike([
        '--set baseline.ranking=blr  settings.baseline.ranking: … crop, blur, circle or crop+blur, … "blr". Did you mean blur?',
      ]),
    );
    expect(problems(grid, ["training.num_epochs=2"])).toEqual(
      messagesLike(["--set training.num_epochs=2  settings.training.num_epochs has no effect, …"]),
    );
  });
});

describe("an experiment that a command makes", () => {
  const origin = { name: "cliprpn baseline", where: (path: (string | number)[]) => `--${path.at(-1)}` };

  test("is read like one in a file", () => {
    const folder = filledFolder();
    const experiment = { ...head, also: [{ "baseline.detector": { kind: "yolo", weights: "yolov5su" } }] };
    writeFileSync(join(folder, "e.json"), JSON.stringify(experiment));
    const sets = ["baseline.max_boxes=5"];
    expect(readCommandExperiment(experiment, origin, sets, folder)).toEqual(
      readExperiment("e.json", sets, folder),
    );
  });

  test("has problems that name the options, not keys of a file", () => {
    const experiment = {
      ...head,
      dataset: { root: "nowhere" },
      also: [{ "baseline.detector": { kind: "yolox", weights: "a.pt" } }],
    };
    const { message } = errorOf(() => readCommandExperiment(experiment, origin, ["max_boxes=0"], "/w"));
    expect(message.split("\n")).toEqual(
      messagesLike([
        "--set max_boxes=0  settings.max_boxes: … Did you mean baseline.max_boxes?",
        "--weights  … .onnx … a.pt",
        "--root  /w/nowhere: … no such folder",
        "cliprpn baseline: 3 problems…",
      ]),
    );
  });
});

test("experiments/baseline.json has two detectors with every ranking, one with a category prior and one with a template", () => {
  const { trials } = planSweep(readExperiment("experiments/baseline.json", [], packageRoot), planContext);
  expect(trials).toHaveLength(10);
});

const sha256OfEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A folder with weights of several kinds, a trial, and a dataset in RefCOCOg's original layout. */
function filledFolder(): string {
  const folder = tempFolder();
  for (const name of ["weights", "elsewhere", trial, "sub", "photos/annotations", "photos/images"])
    mkdirSync(join(folder, name), { recursive: true });
  const files = [
    "weights/yolov5su.onnx",
    "weights/yolox_nano.onnx",
    "elsewhere/shared.onnx",
    "mine.onnx",
    "mine.pth",
    "dets.json",
    `${trial}/best.safetensors`,
    "other.safetensors",
    "photos/annotations/instances.json",
    "photos/annotations/refs(umd).p",
  ];
  for (const file of files) writeFileSync(join(folder, file), "");
  return folder;
}

function detectorOf(choice: unknown, folder: string, options: ReadOptions = {}): Detector | undefined {
  const experiment = { also: [{ "baseline.detector": choice }] };
  return planSweep(read(experiment, [], folder, { weights: "elsewhere", ...options }), planContext)
    .trials.filter((spec): spec is BaselineSpec => spec.kind === "baseline")
    .map((spec) => spec.baseline.detector)[0];
}

function plan(
  experiment: object,
  changed: Partial<PlanContext> = {},
  folder = filledFolder(),
  sets: string[] = [],
): TrialSpec[] {
  return planExperiment(experiment, changed, folder, sets).trials;
}
