import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { template } from "../../src/commands/init.ts";
import { exitCodeOf } from "../../src/contract/errors.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { packageRoot } from "../../src/package-root.ts";
import { cliprpn } from "../helpers/cli.ts";
import { errorOf } from "../helpers/error-of.ts";
import { messagesLike } from "../helpers/messages-like.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { head, numbers, problems, read } from "../helpers/written-experiment.ts";

describe("a problem names its place, what was expected, what was found, and a suggestion", () => {
  test.each<[what: string, experiment: object, expected: string]>([
    ["unknown key", { seed: [1] }, "4:2  seed: … Did you mean seeds?"],
    ["unknown key, nothing near", { zzz: 1 }, "4:2  zzz: …"],
    [
      "abbreviated name",
      { vary: { "training.lr": [1] } },
      "5:3  vary.training.lr: … Did you mean training.learning_rate?",
    ],
    [
      "name without its group",
      { vary: { epochs: [1] } },
      "5:3  vary.epochs: … Did you mean training.num_epochs?",
    ],
    ["transposed letters", { vray: {} }, "4:2  vray: … Did you mean vary?"],
    [
      "camel case",
      { settings: { training: { batchSize: 2 } } },
      "6:4  settings.training.batchSize: … Did you mean batch_size?",
    ],
    ["group outside settings", { training: {} }, "4:2  training: … Did you mean settings.training?"],
    [
      "key outside its group",
      { settings: { nms_thresh: 0.5 } },
      "5:3  settings.nms_thresh: … Did you mean rpn.nms_thresh?",
    ],
    ["key of Object.prototype", { __proto__: null, constructor: 1 }, "4:2  constructor: …"],
    [
      "fraction out of range",
      { settings: { rpn: { nms_thresh: 7 } } },
      "6:18  settings.rpn.nms_thresh: … (0, 1], … 7. Did you mean 0.7?",
    ],
    [
      "percent",
      { vary: { "rpn.nms_thresh": [0.5, 70] } },
      "7:4  vary.rpn.nms_thresh[1]: … (0, 1], … 70. Did you mean 0.7?",
    ],
    [
      "earlier name of a value",
      { settings: { training: { batch_by: "picture" } } },
      '6:16  settings.training.batch_by: … sentence or image, … "picture". Did you mean image?',
    ],
    [
      "unknown models to keep",
      { keep_models: "bst" },
      '4:17  keep_models: … all, best or none, … "bst". Did you mean best?',
    ],
    ["number in quotes", { num_threads: "2" }, '4:17  num_threads: … [1, 1024], … "2". Did you mean 2…?'],
    ["number that is not an integer", { num_threads: 1.5 }, "4:17  num_threads: … [1, 1024], … 1.5."],
    [
      "number that is not a multiple",
      { settings: { image_size_px: 225 } },
      "5:20  settings.image_size_px: … [64, 1024], … 32, … 225.",
    ],
    [
      "number below the minimum of a nullable key",
      { settings: { neck_channels: 1 } },
      "5:20  settings.neck_channels: … [8, 4096] or null, … 1.",
    ],
    [
      "misspelled fusion",
      { vary: { fusion: ["filn"] } },
      '6:4  vary.fusion[0]: … concatenation, cross_attention, film, token_attention … "filn". Did you mean film?',
    ],
    [
      "fusion of another type",
      { also: [{ fusion: 7 }] },
      "6:14  also[0].fusion: … concatenation, cross_attention, film, token_attention … 7.",
    ],
    [
      "misspelled switch of a fusion",
      { settings: { fusion: { text: "word" } } },
      '6:12  settings.fusion.text: … pooled or words, … "word". Did you mean words?',
    ],
    [
      "value in place of a list",
      { vary: { fusion: "film" } },
      '5:13  vary.fusion: … 1 to 1000 values, … "film". Did you mean ["film"]?',
    ],
    ["repeated value", { seeds: [1, 2, 1] }, "7:3  seeds[2]: … 1 …"],
    ["missing name", { name: undefined }, "1:1  the experiment: … name…"],
    ["invalid name", { name: "My Sweep" }, '2:10  name: … 63 … "My Sweep".'],
    [
      "missing file of a fusion",
      { vary: { fusion: [{ file: "nope.py:Mine" }] } },
      "7:13  vary.fusion[0].file: … no file FOLDER/nope.py",
    ],
    [
      "folder in place of a fusion's file",
      { settings: { fusion: { file: "folder.py:Mine" } } },
      "6:12  settings.fusion.file: … a folder, FOLDER/folder.py",
    ],
    [
      "fusion with a file and switches",
      { settings: { fusion: { file: "mine.py:Mine", text: "words" } } },
      "5:13  settings.fusion: … file and text",
    ],
    ["empty fusion", { settings: { fusion: {} } }, "5:13  settings.fusion: … {}"],
    [
      "unknown dataset",
      { dataset: { name: "refcocog" } },
      "5:11  dataset.name: … demo… FOLDER/data, … refcocog. … `cliprpn prepare` …",
    ],
    [
      "missing dataset folder",
      { dataset: { root: "nowhere" } },
      "5:11  dataset.root: FOLDER/nowhere: … no such folder",
    ],
    [
      "dataset folder without annotations",
      { dataset: { root: "folder.py" } },
      "5:11  dataset.root: FOLDER/folder.py: … no annotations/instances.json, no annotations/refs(umd).p, no images.",
    ],
    [
      "dataset folder with another split",
      { dataset: { root: "google" } },
      "5:11  dataset.root: FOLDER/google: … no annotations/refs(umd).p. Did you mean split_by google?",
    ],
    [
      "size of a dataset that is not the demo",
      { dataset: { root: "google", split_by: "google", size: "small" } },
      "7:11  dataset.size: … root",
    ],
    [
      "missing weights",
      { backbone: { weights: "nope.pt" } },
      "5:14  backbone.weights: … shipped, openai or a file, … no file FOLDER/nope.pt",
    ],
    [
      "bg_iou_thresh above fg_iou_thresh",
      { settings: { rpn: { bg_iou_thresh: 0.6 } } },
      "6:21  rpn.bg_iou_thresh (0.6) … rpn.fg_iou_thresh (0.5)",
    ],
    [
      "bg_iou_thresh above fg_iou_thresh in the grid",
      { vary: { "rpn.fg_iou_thresh": [0.3, 0.5] } },
      "5:24  rpn.bg_iou_thresh (0.4) … rpn.fg_iou_thresh (0.3)",
    ],
    [
      "channels that do not divide by the number of heads",
      { settings: { neck_channels: 40 }, vary: { fusion: ["film", "cross_attention"] } },
      "5:20  … neck_channels … 16, … 40",
    ],
    [
      "two equal configurations in the grid",
      { vary: { fusion: ["film", { text: "pooled", interaction: "multiplicative", coordinates: "off" }] } },
      "4:10  text=pooled interaction=multiplicative coordinates=off is the same … film…",
    ],
    [
      "two equal configurations in also",
      { also: [{ "training.num_epochs": 5 }, { "training.num_epochs": 5 }] },
      "8:3  num_epochs=5 is the same … num_epochs=5, … seed 0; … different seeds",
    ],
    [
      "equal configurations with labels and a common seed",
      {
        also: [
          { label: "A", seeds: [0, 1] },
          { label: "B", seeds: [2, 1] },
        ],
      },
      "12:3  B is the same … A, … seed 1; … different seeds",
    ],
    [
      "an entry that repeats a configuration of the grid, with the seeds of the file",
      { vary: { fusion: ["film"] }, also: [{ label: "mine", fusion: "film" }], seeds: [4] },
      "10:3  mine is the same … film, … seed 4; … different seeds",
    ],
    [
      "a label that two entries have",
      {
        also: [
          { label: "A", fusion: "film" },
          { label: "A", fusion: "concatenation" },
        ],
      },
      '10:13  also[1].label: … no other configuration … "A" again',
    ],
    [
      "a label that is made from the keys of another configuration",
      { vary: { fusion: ["film"] }, also: [{ label: "film", fusion: "concatenation" }] },
      '11:13  also[0].label: … no other configuration … "film" again',
    ],
    ["a label with a line break", { also: [{ label: "a\nb" }] }, "6:13  also[0].label: … 100 … control…"],
    ["a label with space at its end", { also: [{ label: "a " }] }, "6:13  also[0].label: … 100 … space…"],
    [
      "a label that is too long",
      { also: [{ label: "é".repeat(101) }] },
      "6:13  also[0].label: … 100 characters…",
    ],
    ["label of the grid", { vary: { label: ["a"] } }, "5:3  vary.label: …"],
    ["repeated seed of an entry", { also: [{ seeds: [1, 1] }] }, "8:5  also[0].seeds[1]: … 1 again"],
    [
      "seeds of a baseline",
      { also: [{ "baseline.detector": "gt_boxes", seeds: [1] }] },
      "7:13  also[0].seeds has no effect, …",
    ],
    [
      "seeds where every configuration has its own",
      { also: [{ seeds: [1] }], seeds: [0] },
      "11:11  seeds has no effect, …",
    ],
    [
      "misspelled baseline",
      { vary: { fusion: ["film", "concatenation"] }, baseline: "flim" },
      '10:14  baseline: … label … "flim". Did you mean film?',
    ],
    [
      "unknown baseline",
      { vary: { fusion: ["film", "concatenation"] }, baseline: "YOLO" },
      '10:14  baseline: … "YOLO". … film and concatenation',
    ],
    ["a difference of nothing", { smallest_difference: 0 }, "4:25  smallest_difference: … (0, 100], … 0."],
    ["a level in percent", { alpha: 5 }, "4:11  alpha: … (0, 0.5), … 5. Did you mean 0.05?"],
    [
      "key that is both set and varied",
      { settings: { training: { num_epochs: 3 } }, vary: { "training.num_epochs": [1, 2] } },
      "6:18  settings.training.num_epochs has no effect, … training.num_epochs… vary.training.num_epochs",
    ],
    [
      "switch of a fusion that has none",
      { vary: { fusion: ["concatenation"], "fusion.text": ["words"] } },
      '8:18  fusion.text … "fusion": "token_attention" or "film"',
    ],
    [
      "published interval with low above high",
      { published: [{ metric: "miou", split: "val", low: 0.5, high: 0.4, source: "", verified: false }] },
      "8:11  published[0].low (0.5) … high (0.4)",
    ],
    [
      "too many trials",
      { vary: { "limits.train": numbers(1000), "limits.val": numbers(1000) } },
      "4:10  vary: … 1000000 … 100000…",
    ],
  ])("%s", (_, experiment, expected) => {
    const folder = tempFolder();
    mkdirSync(join(folder, "folder.py"));
    for (const name of ["annotations", "images"])
      mkdirSync(join(folder, "google", name), { recursive: true });
    for (const name of ["annotations/instances.json", "annotations/refs(google).p", "../mine.py"])
      writeFileSync(join(folder, "google", name), "");
    expect(problems(experiment, [], folder)).toEqual(messagesLike([expected.replace("FOLDER", folder)]));
  });
});

describe("text that is not an experiment is reported with its place", () => {
  test.each<[what: string, text: string | Uint8Array, expected: string]>([
    ["an empty file", "", "1:1  … an empty file…"],
    ["a comment only", "// nothing\n", "1:1  … no value"],
    ["a list", "[]", "1:1  the experiment: … []."],
    ["a missing comma", '{\n  "name": "a"\n  "question": "Which is best?"\n}', "3:3  … comma …"],
    ["text after the end", `${JSON.stringify(head)} x`, "1:42  … invalid symbol"],
    ["two experiments", `${JSON.stringify(head)}\n{}`, "2:1  … end of file …"],
    ["a duplicate key", '{"name": "a",\r\n "question": "Which is best?",\r\n "name": "b"}', '3:2  … "name"…'],
    ["Latin-1", Uint8Array.from([0x7b, 0x0a, 0x22, 0xe9, 0x22]), "2:2  … UTF-8 …"],
    [
      "a number that overflows",
      '{"name": "a", "question": "Which is best?", "seeds": [1e999]}',
      "1:55  seeds[0]: … [0, 4294967295], … Infinity.",
    ],
    [
      "a parameter of a fusion that overflows",
      `{"name": "a", "question": "Which is best?", "settings": {"fusion": {\n"params": {"a": [1, -1e999]}, "file": ${JSON.stringify(join(packageRoot, "experiments/my-fusion/my_fusion.py:MyFusion"))}}}}`,
      "2:21  settings.fusion.params.a[1]: … finite …",
    ],
    ["deep nesting", "[".repeat(100_000), "1:65  … 64 …"],
  ])("%s", (_, text, expected) => {
    expect(problems(text)).toEqual(messagesLike([expected]));
  });
});

test("all problems are reported at once, whatever their kind, in the order of the file", () => {
  const text = JSON.stringify(
    {
      ...head,
      preset: "defualt",
      settings: { training: { num_epochs: 0 } },
      vary: { fusion: [{ file: "nope.py:A" }], "rpn.bg_iou_thresh": [0.1, 0.9] },
      dataset: { root: "nowhere" },
      seeds: [],
      num_thread: 1,
    },
    null,
    1,
  ).replace('"seeds"', '"name": "b",\n "seeds"');
  const lines = problems(text, ["foo", "rpn.nms_thresh=2"]);
  expect(lines).toHaveLength(9);
  expect(lines.map((line) => line.replace(/ {2}.*/, ""))).toEqual([
    "--set foo",
    "--set rpn.nms_thresh=2",
    "4:12",
    "7:18",
    "13:13",
    "22:11",
    "24:2",
    "25:11",
    "26:2",
  ]);
});

test("the last of duplicate keys counts, and its value is checked", () => {
  expect(problems('{"name": "a", "question": "Which is best?", "seeds": [0], "seeds": 7}')).toEqual(
    messagesLike([
      '1:59  … "seeds"…',
      "1:68  seeds: … 1 to 1000 values, … 7. Did you mean [0,1,2,3,4,5,6]?…",
    ]),
  );
});

test("every repeated value is reported", () => {
  expect(problems(JSON.stringify({ ...head, seeds: [1, 1, 2, 2, 1] }))).toEqual(
    messagesLike(["1:52  seeds[1]: … 1 …", "1:56  seeds[3]: … 2 …", "1:58  seeds[4]: … 1 …"]),
  );
});

test("a rule is skipped when a value that it reads is invalid", () => {
  // With the intended fg_iou_thresh of 0.9, bg_iou_thresh is valid; it only exceeds the preset's 0.5.
  const text = JSON.stringify(
    { ...head, settings: { rpn: { bg_iou_thresh: 0.8, fg_iou_thresh: "0.9" } } },
    null,
    1,
  );
  expect(problems(text)).toEqual(
    messagesLike(['7:21  settings.rpn.fg_iou_thresh: … (0, 1], … "0.9". Did you mean 0.9…?']),
  );
});

describe("--set", () => {
  const text = JSON.stringify({
    ...head,
    settings: { training: { num_epochs: 9 } },
    vary: { fusion: ["film"] },
  });

  test.each<[sets: string[], expected: string]>([
    [["training.num_epochs"], "--set training.num_epochs  … --set training.num_epochs=2"],
    [["=3"], "--set =3  … --set training.num_epochs=2"],
    [["training.epochs=2"], "--set training.epochs=2  settings.training.epochs: … Did you mean num_epochs?"],
    [
      ["dataset.name=refcocog"],
      "--set dataset.name=refcocog  dataset.name: … demo… FOLDER/data, … refcocog. … `cliprpn prepare` …",
    ],
    [
      ["rpn.bg_iou_thresh=0.6"],
      "--set rpn.bg_iou_thresh=0.6  rpn.bg_iou_thresh (0.6) … rpn.fg_iou_thresh (0.5)",
    ],
    [
      ["vary.training.lr=[1]"],
      "--set vary.training.lr=[1]  vary.training.lr: … Did you mean training.learning_rate?",
    ],
    [
      ["fusion=concatenation"],
      "--set fusion=concatenation  settings.fusion has no effect, … fusion… vary.fusion",
    ],
    [["baseline=flm"], "--set baseline=flm  baseline: … Did you mean film?"],
    [
      ["training.num_epochs=1", "training.num_epochs=x"],
      '--set training.num_epochs=x  settings.training.num_epochs: … [1, 10000], … "x".',
    ],
  ])("a problem of %j names the flag", (sets, expected) => {
    const folder = tempFolder();
    expect(problems(text, sets, folder)).toEqual(messagesLike([expected.replace("FOLDER", folder)]));
  });

  test("replaces values of the file; the last of two wins", () => {
    const { experiment, settings } = read(text, [
      "training.num_epochs=1",
      "training.num_epochs=2",
      "seeds=[4,5]",
      'vary.fusion=["film","concatenation"]',
      'vary.training.optimizer=["adam"]',
      "dataset.size=small",
      "baseline=film optimizer=adam",
    ]);
    expect(experiment.baseline).toBe("film optimizer=adam");
    expect(experiment.seeds).toEqual([4, 5]);
    expect(experiment.dataset).toEqual({ size: "small" });
    const training = { num_epochs: 2, optimizer: "adam" };
    expect(settings).toMatchObject([
      { settings: { training, fusion: { kind: "switched" } } },
      { settings: { training, fusion: { kind: "concatenation" } } },
    ]);
  });
});

test("an invalid seed hides no other problem, and causes none", () => {
  const also = [{ label: "A", seeds: [0, 1] }, { label: "B" }];
  expect(problems({ also, seeds: [-1] })).toEqual(messagesLike(["17:3  seeds[0]: … [0, 4294967295], … -1."]));
});

test("an invalid experiment ends with exit code 2 before anything is created", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "e.json"), JSON.stringify({ ...head, seed: 1, num_threads: 0 }));
  const cache = tempFolder();
  const env = { HOME: folder, CLIPRPN_CACHE: cache, PATH: "" };
  for (const command of ["sweep", "train"]) {
    const { code, out, err } = await cliprpn([command, "e.json", "--runs-dir", "runs"], folder, env);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err.trim().split("\n")).toEqual(
      messagesLike([
        "e.json:1:41  seed: … Did you mean seeds?",
        "e.json:1:64  num_threads: … [1, 1024], … 0.",
        "e.json: 2 problems…",
      ]),
    );
  }
  expect(readdirSync(folder)).toEqual(["e.json"]);
  expect(readdirSync(cache)).toEqual(["own-python"]); // The checks of interpreters that all tests share.
});

test.each(["nope.json", "."])("%s in place of an experiment file is bad_input", (name) => {
  const error = errorOf(() => readExperiment(name, [], tempFolder()));
  expect(error.code).toBe("bad_input");
  expect(exitCodeOf(error.code)).toBe(2);
});

test.each(shipped())("%s, as shipped, is valid where its datasets are prepared", (file) => {
  const text = readFileSync(join(packageRoot, file), "utf8");
  const data = tempFolder();
  for (const name of ["refcoco-unc", "refcoco+-unc", "refcocog-umd"]) {
    mkdirSync(join(data, name));
    writeFileSync(join(data, name, "dataset.json"), "{}");
  }
  expect(text).toMatch(/^\{\s*"\$schema":[^\n]*\n\s*"name":[^\n]*\n\s*"question":/);
  expect(readExperiment(file, [], packageRoot, { data }).settings.length).toBeGreaterThan(0);
});

test("the file that init writes is valid", () => {
  expect(read(template("schema.json")).settings).toHaveLength(3);
});

function shipped(): string[] {
  return readdirSync(join(packageRoot, "experiments"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json") && !name.startsWith("sample-report/"))
    .map((name) => join("experiments", name));
}
