import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../src/base/package-root.ts";
import { template } from "../../src/commands/init.ts";
import { exitCodeOf } from "../../src/contract/errors.ts";
import type { ReadExperiment } from "../../src/experiment/check-experiment.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { cliprpn } from "../helpers/cli.ts";
import { refused } from "../helpers/refused.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const head = { name: "a", question: "Which is best?" };

describe("a wrong value is told with what was expected, what was found and what may have been meant", () => {
  test.each<[what: string, experiment: object, said: string]>([
    ["unknown key", { seed: [1] }, "4:2  seed: there is no such key. Did you mean seeds?"],
    ["unknown key, nothing near", { zzz: 1 }, "4:2  zzz: there is no such key."],
    [
      "short name",
      { vary: { "training.lr": [1] } },
      "5:3  vary.training.lr: there is no such key. Did you mean training.learning_rate?",
    ],
    [
      "name without its group",
      { vary: { epochs: [1] } },
      "5:3  vary.epochs: there is no such key. Did you mean training.num_epochs?",
    ],
    ["swapped letters", { vray: {} }, "4:2  vray: there is no such key. Did you mean vary?"],
    [
      "camel case",
      { settings: { training: { batchSize: 2 } } },
      "6:4  settings.training.batchSize: there is no such key. Did you mean batch_size?",
    ],
    [
      "group put too high",
      { training: {} },
      "4:2  training: there is no such key. Did you mean settings.training?",
    ],
    [
      "key put too high",
      { settings: { nms_thresh: 0.5 } },
      "5:3  settings.nms_thresh: there is no such key. Did you mean rpn.nms_thresh?",
    ],
    ["key of every object", { __proto__: null, constructor: 1 }, "4:2  constructor: there is no such key."],
    [
      "share out of range",
      { settings: { rpn: { nms_thresh: 7 } } },
      "6:18  settings.rpn.nms_thresh: expected a number in (0, 1], found 7. Did you mean 0.7?",
    ],
    [
      "percent",
      { vary: { "rpn.nms_thresh": [0.5, 70] } },
      "7:4  vary.rpn.nms_thresh[1]: expected a number in (0, 1], found 70. Did you mean 0.7?",
    ],
    [
      "number in quotes",
      { num_threads: "2" },
      '4:17  num_threads: expected a whole number in [1, 1024], found "2". Did you mean 2, without quotes?',
    ],
    [
      "half a thread",
      { num_threads: 1.5 },
      "4:17  num_threads: expected a whole number in [1, 1024], found 1.5.",
    ],
    [
      "no multiple",
      { settings: { image_size_px: 225 } },
      "5:20  settings.image_size_px: expected a whole number in [64, 1024], a multiple of 32, found 225.",
    ],
    [
      "negative where null may be",
      { settings: { neck_channels: 1 } },
      "5:20  settings.neck_channels: expected a whole number in [8, 4096] or null, found 1.",
    ],
    [
      "fusion's name",
      { vary: { fusion: ["filn"] } },
      '6:4  vary.fusion[0]: expected concatenation, cross_attention, film, token_attention or an object {...}, found "filn". Did you mean film?',
    ],
    [
      "fusion's type",
      { also: [{ fusion: 7 }] },
      "6:14  also[0].fusion: expected concatenation, cross_attention, film, token_attention or an object {...}, found 7.",
    ],
    [
      "fusion's switch",
      { settings: { fusion: { text: "word" } } },
      '6:12  settings.fusion.text: expected pooled or words, found "word". Did you mean words?',
    ],
    [
      "value where a list stands",
      { vary: { fusion: "film" } },
      '5:13  vary.fusion: expected a list of 1 to 1000 values, found "film".',
    ],
    ["repeated value", { seeds: [1, 2, 1] }, "7:3  seeds[2]: expected each value once, found 1 again"],
    ["no name at all", { name: undefined }, "1:1  the experiment: expected a key name, found none"],
    [
      "bad name",
      { name: "My Sweep" },
      '2:10  name: expected a name of at most 63 small letters, digits and dashes, found "My Sweep".',
    ],
    [
      "fusion's file",
      { vary: { fusion: [{ file: "nope.py:Mine" }] } },
      "7:13  vary.fusion[0].file: expected the fusion's file, found no file FOLDER/nope.py",
    ],
    [
      "a folder as a fusion",
      { settings: { fusion: { file: "folder.py:Mine" } } },
      "6:12  settings.fusion.file: expected the fusion's file, found a folder, FOLDER/folder.py",
    ],
    [
      "file and switches",
      { settings: { fusion: { file: "mine.py:Mine", text: "words" } } },
      "5:13  settings.fusion: expected either a file or switches, found file and text",
    ],
    [
      "fusion of nothing",
      { settings: { fusion: {} } },
      "5:13  settings.fusion: expected a fusion's switches (text, interaction, coordinates) or its file, found {}",
    ],
    [
      "data without a root",
      { dataset: { name: "refcocog" } },
      "5:11  dataset.name: expected demo, or a data set in FOLDER/data, found refcocog. `cliprpn prepare` makes one",
    ],
    [
      "no such data",
      { dataset: { root: "nowhere" } },
      "5:11  dataset.root: FOLDER/nowhere: expected a prepared data set, or a folder with annotations/ and images/; found no such folder",
    ],
    [
      "data without annotations",
      { dataset: { root: "folder.py" } },
      "5:11  dataset.root: FOLDER/folder.py: expected a prepared data set, or a folder with annotations/ and images/; found no annotations/instances.json, no annotations/refs(umd).p, no images.",
    ],
    [
      "the other split",
      { dataset: { root: "google" } },
      "5:11  dataset.root: FOLDER/google: expected a prepared data set, or a folder with annotations/ and images/; found no annotations/refs(umd).p. Did you mean split_by google?",
    ],
    [
      "size of real data",
      { dataset: { root: "google", split_by: "google", size: "small" } },
      "7:11  dataset.size: size belongs to the demo, which has no root",
    ],
    [
      "weights of nothing",
      { backbone: { weights: "nope.pt" } },
      "5:14  backbone.weights: expected shipped, openai or a file, found no file FOLDER/nope.pt",
    ],
    [
      "thresholds crossed",
      { settings: { rpn: { bg_iou_thresh: 0.6 } } },
      "6:21  rpn.bg_iou_thresh (0.6) must not exceed rpn.fg_iou_thresh (0.5)",
    ],
    [
      "thresholds crossed in the grid",
      { vary: { "rpn.fg_iou_thresh": [0.3, 0.5] } },
      "5:24  rpn.bg_iou_thresh (0.4) must not exceed rpn.fg_iou_thresh (0.3)",
    ],
    [
      "heads",
      { settings: { neck_channels: 40 }, vary: { fusion: ["film", "cross_attention"] } },
      "5:20  the fusion has 16 heads: expected neck_channels to be a multiple of 16, found 40",
    ],
    [
      "twins",
      { vary: { fusion: ["film", { text: "pooled", interaction: "multiplicative", coordinates: "off" }] } },
      "4:10  text=pooled interaction=multiplicative coordinates=off is the same setting as film; keep one",
    ],
    [
      "twin beside the grid",
      { also: [{ "training.num_epochs": 5 }, { "training.num_epochs": 5 }] },
      "8:3  num_epochs=5 is the same setting as num_epochs=5; keep one",
    ],
    [
      "set and varied",
      { settings: { training: { num_epochs: 3 } }, vary: { "training.num_epochs": [1, 2] } },
      "6:18  settings.training.num_epochs has no effect, since vary sets training.num_epochs; change vary.training.num_epochs",
    ],
    [
      "switch of a fusion without",
      { vary: { fusion: ["concatenation"], "fusion.text": ["words"] } },
      '8:18  fusion.text is a switch, which this setting\'s fusion does not have; give it "fusion": "token_attention" or "film"',
    ],
    [
      "band upside down",
      { published: [{ metric: "miou", split: "val", low: 0.5, high: 0.4, source: "", verified: false }] },
      "8:11  published[0].low (0.5) must not exceed high (0.4)",
    ],
    [
      "more than fits",
      { vary: { "limits.train": numbers(1000), "limits.val": numbers(1000) } },
      "4:10  vary: makes 1000000 trials; at most 100000 are possible",
    ],
  ])("%s", (_, experiment, said) => {
    const folder = tempFolder();
    mkdirSync(join(folder, "folder.py"));
    for (const made of ["annotations", "images"])
      mkdirSync(join(folder, "google", made), { recursive: true });
    for (const made of ["annotations/instances.json", "annotations/refs(google).p", "../mine.py"])
      writeFileSync(join(folder, "google", made), "");
    expect(problems(JSON.stringify({ ...head, ...experiment }, null, 1), [], folder)).toEqual([
      said.replace("FOLDER", folder),
    ]);
  });
});

describe("text that is no experiment is told with its place", () => {
  test.each<[what: string, text: string | Uint8Array, said: string]>([
    ["an empty file", "", "1:1  expected an experiment ({...}), found no value in the file"],
    ["a comment only", "// nothing\n", "1:1  expected an experiment ({...}), found no value in the file"],
    ["a list", "[]", "1:1  the experiment: expected an object {...}, found []."],
    [
      "a missing comma",
      '{\n  "name": "a"\n  "question": "Which is best?"\n}',
      "3:3  not valid JSON: comma expected",
    ],
    ["text after the end", `${JSON.stringify(head)} x`, "1:42  not valid JSON: invalid symbol"],
    ["two experiments", `${JSON.stringify(head)}\n{}`, "2:1  not valid JSON: end of file expected"],
    [
      "a key twice",
      '{"name": "a",\r\n "question": "Which is best?",\r\n "name": "b"}',
      '3:2  the key "name" stands twice; keep one',
    ],
    [
      "Latin-1",
      Uint8Array.from([0x7b, 0x0a, 0x22, 0xe9, 0x22]),
      "2:2  expected UTF-8 text, found other bytes; save the file as UTF-8",
    ],
    [
      "a number beyond all bounds",
      '{"name": "a", "question": "Which is best?", "seeds": [1e999]}',
      "1:55  seeds[0]: expected a whole number in [0, 4294967295], found Infinity.",
    ],
    ["bottomless nesting", "[".repeat(100_000), "1:65  expected at most 64 levels of nesting, found more"],
  ])("%s", (_, text, said) => {
    expect(problems(text)).toEqual([said]);
  });
});

test("all problems are told at once, whatever their kind, in the file's order", () => {
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
  const told = problems(text, ["foo", "rpn.nms_thresh=2"]);
  expect(told).toHaveLength(9);
  expect(told.map((line) => line.replace(/ {2}.*/, ""))).toEqual([
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

test("of a key that stands twice, the second counts, and is told with its own mistakes", () => {
  expect(problems('{"name": "a", "question": "Which is best?", "seeds": [0], "seeds": 7}')).toEqual([
    '1:59  the key "seeds" stands twice; keep one',
    "1:68  seeds: expected a list of 1 to 1000 values, found 7.",
  ]);
});

test("every repeated value is told", () => {
  expect(problems(JSON.stringify({ ...head, seeds: [1, 1, 2, 2, 1] }))).toEqual([
    "1:52  seeds[1]: expected each value once, found 1 again",
    "1:56  seeds[3]: expected each value once, found 2 again",
    "1:58  seeds[4]: expected each value once, found 1 again",
  ]);
});

test("a rule is silent on what a wrong value was to set", () => {
  // fg_iou_thresh would have been 0.9: that bg_iou_thresh exceeds the preset's 0.5 is not so.
  const text = JSON.stringify(
    { ...head, settings: { rpn: { bg_iou_thresh: 0.8, fg_iou_thresh: "0.9" } } },
    null,
    1,
  );
  expect(problems(text)).toEqual([
    '7:21  settings.rpn.fg_iou_thresh: expected a number in (0, 1], found "0.9". Did you mean 0.9, without quotes?',
  ]);
});

describe("--set", () => {
  const text = JSON.stringify({
    ...head,
    settings: { training: { num_epochs: 9 } },
    vary: { fusion: ["film"] },
  });

  test.each<[sets: string[], said: string]>([
    [
      ["training.num_epochs"],
      "--set training.num_epochs  expected key=value, as in --set training.num_epochs=2",
    ],
    [["=3"], "--set =3  expected key=value, as in --set training.num_epochs=2"],
    [
      ["training.epochs=2"],
      "--set training.epochs=2  settings.training.epochs: there is no such key. Did you mean num_epochs?",
    ],
    [
      ["dataset.name=refcocog"],
      "--set dataset.name=refcocog  dataset.name: expected demo, or a data set in FOLDER/data, found refcocog. `cliprpn prepare` makes one",
    ],
    [
      ["rpn.bg_iou_thresh=0.6"],
      "--set rpn.bg_iou_thresh=0.6  rpn.bg_iou_thresh (0.6) must not exceed rpn.fg_iou_thresh (0.5)",
    ],
    [
      ["vary.training.lr=[1]"],
      "--set vary.training.lr=[1]  vary.training.lr: there is no such key. Did you mean training.learning_rate?",
    ],
    [
      ["fusion=concatenation"],
      "--set fusion=concatenation  settings.fusion has no effect, since vary sets fusion; change vary.fusion",
    ],
    [
      ["training.num_epochs=1", "training.num_epochs=x"],
      '--set training.num_epochs=x  settings.training.num_epochs: expected a whole number in [1, 10000], found "x".',
    ],
  ])("%j is told by its flag", (sets, said) => {
    const folder = tempFolder();
    expect(problems(text, sets, folder)).toEqual([said.replace("FOLDER", folder)]);
  });

  test("replaces what the file says; the last of two holds", () => {
    const { experiment, settings } = read(text, [
      "training.num_epochs=1",
      "training.num_epochs=2",
      "seeds=[4,5]",
      'vary.fusion=["film","concatenation"]',
      'vary.training.optimizer=["adam"]',
      "dataset.size=small",
    ]);
    expect(experiment.seeds).toEqual([4, 5]);
    expect(experiment.dataset).toEqual({ size: "small" });
    const training = { num_epochs: 2, optimizer: "adam" };
    expect(settings).toMatchObject([
      { settings: { training, fusion: { kind: "switched" } } },
      { settings: { training, fusion: { kind: "concatenation" } } },
    ]);
  });
});

test("a wrong experiment ends in exit code 2, before anything is made or set up", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "e.json"), JSON.stringify({ ...head, seed: 1, num_threads: 0 }));
  const env = { HOME: folder, CLIPRPN_CACHE: join(folder, "cache"), PATH: "" };
  for (const command of ["sweep", "train"]) {
    const { code, out, err } = await cliprpn([command, "e.json", "--runs-dir", "runs"], folder, env);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err.trim().split("\n")).toEqual([
      "e.json:1:41  seed: there is no such key. Did you mean seeds?",
      "e.json:1:64  num_threads: expected a whole number in [1, 1024], found 0.",
      "e.json: 2 problems, nothing was started",
    ]);
  }
  expect(readdirSync(folder)).toEqual(["e.json"]);
});

test.each(["nope.json", "."])("%s in place of a file is bad input", (name) => {
  const error = refused(() => readExperiment(name, [], tempFolder()));
  expect(error.code).toBe("bad_input");
  expect(exitCodeOf(error.code)).toBe(2);
});

test.each(shipped())("%s, as shipped, is good but for data that is not here", (file) => {
  const text = readFileSync(join(packageRoot, file), "utf8");
  const sets = text.includes('"refcocog-umd"') ? ['dataset={"name":"demo"}'] : [];
  expect(text).toMatch(/^\{\s*"\$schema":[^\n]*\n\s*"name":[^\n]*\n\s*"question":/);
  expect(readExperiment(file, sets, packageRoot).settings.length).toBeGreaterThan(0);
});

test("what init writes is good", () => {
  expect(read(template("schema.json")).settings).toHaveLength(3);
});

function shipped(): string[] {
  return readdirSync(join(packageRoot, "experiments"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => join("experiments", name));
}

function read(text: string | Uint8Array, sets: string[] = [], folder = tempFolder()): ReadExperiment {
  writeFileSync(join(folder, "e.json"), text);
  return readExperiment("e.json", sets, folder);
}

/** The lines told, without the file's name and the last, which counts them. */
function problems(text: string | Uint8Array, sets: string[] = [], folder = tempFolder()): string[] {
  const error = refused(() => read(text, sets, folder));
  const lines = error.message.split("\n");
  expect(lines.pop()).toMatch(`e.json: ${lines.length} problem`);
  return lines.map((line) => line.replace(/^e\.json:/, ""));
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
