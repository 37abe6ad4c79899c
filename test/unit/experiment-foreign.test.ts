import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseOverrides } from "../../src/experiment/overrides.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { cliprpn } from "../helpers/cli.ts";
import { errorOf } from "../helpers/error-of.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const head = '"name": "a", "question": "Which is best?"';

/** The problems of a file with this content, without its name. */
function problems(content: string | Uint8Array, sets: string[] = [], name = "e.json"): string[] {
  const folder = tempFolder();
  writeFileSync(join(folder, name), content);
  const { message } = errorOf(() => readExperiment(name, sets, folder));
  return message
    .split("\n")
    .slice(0, -1)
    .map((line) => line.replace(`${name}:`, ""));
}

describe("a file that is not JSON is named for what it is", () => {
  test.each<[name: string, content: string | Uint8Array, found: string, next: RegExp]>([
    ["a.yaml", "# one\nname: a\nvary:\n  fusion: [film]\n", "YAML", /safe_load.* a\.yaml > a\.json/],
    ["a.json", "---\nname: a\n", "YAML", /a\.json > a-converted\.json/],
    ["a.yml", "- name: a\n", "YAML", /a\.yml > a\.json/],
    ["a.toml", 'name = "a"\n[vary]\nfusion = ["film"]\n', "TOML", /tomllib/],
    ["a.json", "[vary]\nfusion = 1\n", "TOML", /tomllib/],
    ["a.py", "config = {'name': 'a'}\n", "Python code", /json\.dump/],
    ["a.json", "import ray\n", "Python code", /json\.dump/],
    ["a.json", "<html>", "HTML or XML", /init/],
    ["a.json", "\n", "an empty file", /init/],
    ["a.json", gzipSync("{}"), "a gzip file", /gunzip a\.json/],
    ["a.json", Buffer.from(`\uFEFF{${head}}`, "utf16le"), "UTF-16 text", /UTF-8/],
    ["a.json", Buffer.from(`{${head}}`, "utf16le"), "UTF-16 text", /UTF-8/],
    ["a.json", Buffer.from(`{${head}}`, "utf16le").swap16(), "UTF-16 text", /UTF-8/],
    ["a.json", Buffer.from("PAR1\0\0PAR1"), "a Parquet file", /\.json/],
    ["a.json", Buffer.from("{\0\0}"), "a binary file", /\.json/],
  ])("%s: %j", (name, content, found, next) => {
    const [first, ...rest] = problems(content, [], name);
    expect(first).toContain(`found ${found};`);
    expect(first).toMatch(next);
    expect(rest).toEqual([]);
  });

  test("JSON may be in a file of any name", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a.yaml"), `{${head}}`);
    expect(readExperiment("a.yaml", [], folder).settings).toHaveLength(1);
  });
});

test.each<[content: string, ...expected: [place: string, found: string, write: string][]]>([
  ["{'name': 'a', 'b': 'it is \"x\"'}", ["1:2", "'name'", '"name"']],
  [
    `{${head}, "vary": {"training.deterministic": [True, False]}, "keep_models": None}`,
    ["1:81", "True", "true"],
    ["1:111", "None", "null"],
  ],
  [`{${head}, "seeds": (0, 1)}`, ["1:54", "(0, 1)", "[...]"]],
  [`{${head}, "seeds": range(3)}`, ["1:54", "range(3)", "[0, 1, 2]"]],
  [`{${head}, "alpha": NaN}`, ["1:54", "NaN", "finite"]],
  [`{${head}, "alpha": -Infinity}`, ["1:54", "-Infinity", "finite"]],
  [`{${head}, "alpha": float("nan")}`, ["1:54", 'float("nan")', "values"]],
  [`{${head} # why\n}`, ["1:44", "# why", "//"]],
  [`{name: "a"}`, ["1:2", "name", '"name"']],
  [`{${head}, "vary": {"fusion": [film]}}`, ["1:65", "film", '"film"']],
  [`{"name" = "a"}`, ["1:9", "=", "colon"]],
  ["{\u201Cname\u201D: 1}", ["1:2", "\u201Cname\u201D", '"name"']],
  [`{${head}, "alpha": .05}`, ["1:54", ".05", "0.05"]],
  [`{${head}, "alpha": +.05, "num_threads": 1_0}`, ["1:54", "+.05", ".05"], ["1:75", "1_0", "10"]],
  [`{${head}, "name": """a\nb"""}`, ["1:53", '"""a b"""', "double quotes"]],
])("%j says how JSON writes it, once for each way of writing", (content, ...expected) => {
  const found = problems(content).join("\n");
  for (const [place, word, write] of expected) {
    expect(found).toContain(`${place}  not valid JSON: found ${word}; `);
    expect(found).toContain(write);
  }
  expect(found.match(/not valid JSON/g)).toHaveLength(expected.length);
});

test("of errors without a hint only the first is reported, since the others are its consequences", () => {
  expect(problems(`{${head}, "seeds": [1 2 3], : }`)).toEqual([expect.stringMatching(/^1:57 .*comma/)]);
  expect(problems(`{${head}, `)).toEqual([expect.stringMatching(/} missing\?$/)]);
  expect(problems(`{${head}, "seeds": [0}`)).toEqual([expect.stringMatching(/is a \] missing\?$/)]);
  expect(problems(`{${head}}{`)).toEqual([expect.stringMatching(/one experiment/)]);
});

test("a text with thousands of quotes is read in a moment", () => {
  for (const text of ["'", '"', "\u201C", "`", '"\\'])
    expect(problems(`{${text.repeat(300_000)}`).length).toBeGreaterThan(0);
});

test.each<[key: string, value: unknown, meant: string]>([
  ["vary", { fusion: "film" }, '["film"]'],
  ["vary", { fusion: "film, concatenation" }, '["film","concatenation"]'],
  ["vary", { "training.batch_size": 8 }, "[8]"],
  ["vary", { "training.batch_size": { min: 8, max: 64 } }, "[8,64]? There are no ranges: list every value."],
  ["vary", { "training.batch_size": { start: 8, stop: 24, step: 8 } }, "[8,16,24]?"],
  ["vary", { "training.batch_size": "range(8, 32, 8)" }, "[8,16,24]"],
  ["vary", { "training.learning_rate": "loguniform(1e-4, 1e-1)" }, "[0.0001,0.1]? There are no ranges"],
  ["vary", { "training.learning_rate": { grid_search: [0.1, 0.2] } }, "[0.1,0.2]"],
  ["vary", { "training.learning_rate": { values: [0.1] } }, "[0.1]"],
  ["vary", { training: { learning_rate: [0.1] } }, '"training.learning_rate": [0.1]'],
  ["vary", { seeds: [0] }, "seeds, at the top"],
  ["vary", { fusion: [["film"]] }, '"film"?'],
  ["vary", { "training.batch_size": { type: "int", bounds: [1, 8] } }, "[1,8]? There are no ranges"],
  ["vary", ["fusion"], '{"fusion":[]}'],
  ["preset", ["default", "reference"], '"vary": { "preset": ["default","reference"] }'],
  ["also", { fusion: "film" }, '[{"fusion":"film"}]'],
  ["dataset", "demo", '{"name":"demo"}'],
  ["backbone", "RN50-quickgelu", '{"name":"RN50-quickgelu"}'],
  ["seeds", 3, "[0,1,2]? Or [3], for the seed 3."],
  ["seeds", 0, "[0]"],
  ["seeds", "0-3", "[0,1,2,3]"],
  ["seed", 1, "seeds"],
  ["settings", { fusion: ["film", "concatenation"] }, '"vary": { "fusion": ["film","concatenation"] }'],
  ["settings", { training: { num_epochs: [1, 2] } }, '"vary": { "training.num_epochs": [1,2] }'],
  ["settings", { training: { learning_rate: "1e-3" } }, "0.001, without quotes"],
  ["settings", { training: { deterministic: "True" } }, "true"],
  ["settings", { neck_channels: "None" }, "null"],
  ["settings", { trainer: { max_epochs: 3 } }, "training.num_epochs"],
  ["settings", { lr0: 3 }, "training.learning_rate"],
  ["title", "x", "question"],
  ["imgsz", 640, "settings.image_size_px"],
])('"%s": %j suggests what may be meant', (key, value, meant) => {
  expect(problems(`{${head}, "${key}": ${JSON.stringify(value)}}`)).toEqual([
    expect.stringContaining(`Did you mean ${meant}`),
  ]);
});

test.each([
  ["vary.fusion=film,concatenation", `--set 'vary.fusion=["film","concatenation"]'`],
  ["vary.fusion=[film,concatenation]", `--set 'vary.fusion=["film","concatenation"]'`],
  ["fusion=film,concatenation", `--set 'vary.fusion=["film","concatenation"]'`],
  ["training.num_epochs=1,2", "--set 'vary.training.num_epochs=[1,2]'"],
  ["seeds=0,1", "--set 'seeds=[0,1]'"],
  ["+training.num_epochs=3", "--set training.num_epochs=3"],
  ["training/num_epochs=3", "--set training.num_epochs=3"],
  ["training.num_epochs: 3", "--set training.num_epochs=3"],
])("--set %s suggests the option to type", (set, expected) => {
  expect(problems(`{${head}}`, [set])).toEqual([expect.stringContaining(`Did you mean ${expected}?`)]);
});

test("two keys in one --set are two, a comma in a text is none", () => {
  for (const set of [
    "training.num_epochs=1 training.deterministic=true",
    "training.num_epochs=1,training.deterministic=true",
  ])
    expect(problems(`{${head}}`, [set])).toEqual([
      expect.stringContaining("--set training.num_epochs=1 --set training.deterministic=true"),
    ]);
  expect(parseOverrides(["question=Is it a, or b=2?"]).problems).toEqual([]);
});

const anExperiment = ["sweep", "a.json"];

test.each<[argv: string[], expected: string]>([
  [[...anExperiment, "--set", "alpha=0.1", "baseline=film"], "--set baseline=film"],
  [["sweep", "--set", "alpha=0.1", "baseline=film", "a.json"], "--set baseline=film"],
  [[...anExperiment, "epochs=3"], "--set training.num_epochs=3"],
  [[...anExperiment, "+training.lr=0.1"], "--set training.learning_rate=0.1"],
  [[...anExperiment, "--set", "training.num_epochs", "3"], "--set training.num_epochs=3"],
  [[...anExperiment, "--training.num_epochs", "3"], "--set training.num_epochs=3"],
  [[...anExperiment, "--epochs", "3"], "--set training.num_epochs=3"],
  [[...anExperiment, "--lr=0.1"], "--set training.learning_rate=0.1"],
  [[...anExperiment, "--resume"], "re-run the same command"],
  [[...anExperiment, "--auto-resume"], "re-run the same command"],
  [[...anExperiment, "--overwrite"], "--rerun-stale"],
  [[...anExperiment, "-m"], "vary"],
  [[...anExperiment, "--gpus", "2"], "--device"],
  [[...anExperiment, "--output_dir", "x"], "--runs-dir"],
  [[...anExperiment, "--seed", "1"], "'seeds=[0,1,2]'"],
  [[...anExperiment, "--num-samples", "9"], "every combination"],
  [[...anExperiment, "-h"], "--help"],
  [["train", "data=coco.yaml", "model=x"], "dataset.name"],
  [["prepare", "x", "--annotations", "a.json"], "--from FILE"],
  [["prepare", "x", "--bbox-format", "xyxy"], "--box-format"],
  [["prepare", "x", "--resume"], "re-run the same command"],
  [["evaluate", "x", "--data", "y"], "--dataset"],
])("%j says what does that here", async (argv, expected) => {
  const { code, out, err } = await cliprpn(argv, tempFolder());
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(expected);
  expect(err.trim().split("\n")).toHaveLength(1);
});

test("a missing file names the one that is near", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "mine.json"), "{}");
  for (const typed of ["mine", "mien.json"])
    expect(errorOf(() => readExperiment(typed, [], folder)).message).toContain("Did you mean mine.json?");
  expect(errorOf(() => readExperiment(".", [], folder)).message).toContain("a folder");
});
