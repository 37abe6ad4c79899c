/** `prepare` on archives, broken images and the user's annotations; with a real Python. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import type { PreparedDataset } from "../../src/contract/generated/types.ts";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { packageRoot } from "../../src/package-root.ts";
import { cliprpn, cliprpnWithPython, prepareSweep } from "../helpers/cli.ts";
import { serves, startMirror } from "../helpers/mirror.ts";
import { type Run, workspaceIn } from "../helpers/prepare-workspace.ts";
import { testPython } from "../helpers/python.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("prepare");
const raw = join(folder, "raw");
const cache = join(folder, "cache");

beforeAll(async () => {
  await makeDemo(raw, { seed: 7, num_images: { train: 12, val: 6, test: 6 } }, () => undefined);
});

/** A new working folder; `run` runs `prepare` there. */
function workspace(): { cwd: string; run: Run } {
  const { cwd, run } = workspaceIn(folder, cache);
  return { cwd, run: (...args) => run("prepare", ...args) };
}

const facts = (cwd: string, name: string): PreparedDataset =>
  JSON.parse(readFileSync(join(cwd, "data", name, "dataset.json"), "utf8"));

/** Writes the demo as the two archives of RefCOCOg. */
function writeArchives(root: string): void {
  const inside = join(root, "inside");
  mkdirSync(inside, { recursive: true });
  cpSync(join(raw, "annotations"), join(inside, "refcocog"), { recursive: true });
  cpSync(join(raw, "images"), join(inside, "train2014"), { recursive: true });
  for (const [archive, part] of [
    ["refcocog.zip", "refcocog"],
    ["train2014.zip", "train2014"],
  ] as const)
    execFileSync(testPython(), ["-m", "zipfile", "-c", join(root, archive), part], { cwd: inside });
  rmSync(inside, { recursive: true });
}

test("archives are prepared once; preparing them again starts no Python", async () => {
  const { cwd } = workspace();
  writeArchives(join(cwd, "have"));
  const first = await cliprpn(["prepare", "refcocog", "--root", "have", "--python", testPython()], cwd, {
    CLIPRPN_CACHE: cache,
  });
  expect(first.code, first.err).toBe(0);
  expect(first.out.trim()).toBe("data/refcocog-umd");
  expect(first.err).toMatch(/train +12 images/);
  expect(first.err).toMatch(/published counts:/);
  const prepared = facts(cwd, "refcocog-umd");
  expect(prepared.deviations).toContainEqual(expect.stringMatching(/^train: .*21,899 images.* 12$/));
  expect(prepared.splits.map(({ split, num_images }) => [split, num_images])).toEqual([
    ["train", 12],
    ["val", 6],
    ["test", 6],
  ]);
  const second = await cliprpn(["prepare", "refcocog", "--root", "have", "--python", "/nowhere"], cwd);
  expect(second.code, second.err).toBe(0);
  expect(facts(cwd, "refcocog-umd")).toEqual(prepared);
});

test("images that cannot be used are listed, and left out with --allow-missing", async () => {
  const { cwd, run } = workspace();
  const root = join(cwd, "have");
  cpSync(raw, root, { recursive: true });
  const [missing = "", cut = "", foreign = ""] = readdirSync(join(root, "images")).sort();
  rmSync(join(root, "images", missing));
  const rejected = await run("refcocog", "--root", "have");
  expect(rejected.code).toBe(2);
  expect(rejected.err).toMatch(new RegExp(`"${missing}": .*no file`));
  expect(rejected.err).toContain("--allow-missing");
  const whole = readFileSync(join(root, "images", cut));
  writeFileSync(join(root, "images", cut), whole.subarray(0, whole.length / 2));
  await sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } }).toFile(
    join(root, "images", foreign),
  );
  const allowed = await run("refcocog", "--root", "have", "--allow-missing");
  expect(allowed.code, allowed.err).toBe(0);
  const { dropped } = facts(cwd, "refcocog-umd");
  expect(dropped.num_images).toBe(3);
  expect(allowed.err).toMatch(new RegExp(`3 images .*${dropped.num_refs} referred objects`));
  const listed = readFileSync(join(cwd, "data/refcocog-umd/problems.txt"), "utf8");
  for (const name of [missing, cut, foreign]) expect(listed).toContain(name);
  expect(listed).toMatch(new RegExp(`"${foreign}": expected \\d+ x \\d+ pixels, found 40 x 30`));
  // Once they are fixed, the same command uses them.
  cpSync(join(raw, "images"), join(root, "images"), { recursive: true, force: true });
  const before = facts(cwd, "refcocog-umd").id;
  const fixed = await run("refcocog", "--root", "have");
  expect(fixed.code).toBe(0);
  expect(fixed.err).toContain(`(${before}, `);
  expect(facts(cwd, "refcocog-umd").dropped.num_images).toBe(0);
  expect(facts(cwd, "refcocog-umd").id).not.toBe(before);
});

test("RefCOCO has the splits testA and testB", async () => {
  const { cwd, run } = workspace();
  const root = join(cwd, "have");
  cpSync(raw, root, { recursive: true });
  const python = `import json, pickle, sys
refs = pickle.load(open(sys.argv[1], "rb"))
for ref in refs:
    if ref["split"] == "test": ref["split"] = "testA" if ref["image_id"] % 2 else "testB"
pickle.dump(refs, open(sys.argv[2], "wb"), 0)`;
  const annotations = join(root, "annotations");
  const files = [join(annotations, "refs(umd).p"), join(annotations, "refs(unc).p")];
  execFileSync(testPython(), ["-c", python, ...files]);
  const { code, err } = await run("refcoco", "--root", "have");
  expect(code, err).toBe(0);
  expect(facts(cwd, "refcoco-unc").splits.map(({ split }) => split)).toEqual([
    "train",
    "val",
    "testA",
    "testB",
  ]);
  const google = await run("refcocog", "--root", "have", "--split-by", "google");
  expect(google.code).toBe(2);
  expect(google.err).toMatch(/refs\(umd\)\.p.*another --split-by\?/);
});

test("a pickle that could run code and a file that is not a zip archive are rejected", async () => {
  const { cwd, run } = workspace();
  const root = join(cwd, "have");
  cpSync(raw, root, { recursive: true });
  writeFileSync(join(root, "annotations/refs(umd).p"), "cos\nsystem\n(S'touch pwned'\ntR.");
  const { code, err } = await run("refcocog", "--root", "have");
  expect([code, existsSync(join(cwd, "pwned"))]).toEqual([2, false]);
  expect(err).toContain("os.system");
  rmSync(root, { recursive: true });
  mkdirSync(root);
  writeFileSync(join(root, "refcocog.zip"), "no archive");
  expect((await run("refcocog", "--root", "have")).err).toMatch(/refcocog\.zip: .*zip/i);
});

test("a user's rows keep their numbers, order and text when prepared and exported", async () => {
  const { cwd, run } = workspace();
  const rows = [
    { file: "a.png", caption: "the café’s left cup", bbox: [3.5, 4.25, 20.125, 10.1] },
    { file: "a.png", caption: "the café’s left cup", bbox: [3.5, 4.25, 20.125, 10.1] },
    { file: "b.png", caption: Array(37).fill("word").join(" "), bbox: [0, 0, 40, 30] },
  ];
  writeFileSync(join(cwd, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  mkdirSync(join(cwd, "photos"));
  for (const name of ["a.png", "b.png"])
    await sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } }).toFile(
      join(cwd, "photos", name),
    );
  const columns = ["--columns", "image=file,sentence=caption,box=bbox"];
  const { code, err } = await run(
    ...["mine", "--from", "val=rows.jsonl", "--images", "photos", "--box-format", "xywh", ...columns],
  );
  expect(code, err).toBe(0);
  expect(err).toMatch(/Note: .*split train/);
  const experiment = { name: "mine", question: "Can it train?", dataset: { name: "mine" } };
  writeFileSync(join(cwd, "mine.json"), JSON.stringify(experiment));
  const env = { CLIPRPN_CACHE: cache };
  await expect(prepareSweep("mine.json", cwd, env)).rejects.toMatchObject({
    code: "data_invalid",
    message: expect.stringContaining("none in train"),
  });
  const exported = await cliprpnWithPython(["dataset", "export", "mine", "--out", "back.jsonl"], cwd, env);
  expect(exported.code, exported.err).toBe(0);
  const back = readFileSync(join(cwd, "back.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(back.map(({ image, sentence, box, split }) => [image, sentence, box, split])).toEqual(
    rows.map(({ file, caption, bbox }) => [file, caption, bbox, "val"]),
  );
});

test("invalid rows are reported by line, before any image is read", async () => {
  const { cwd, run } = workspace();
  const lines = [
    '{"image": "a.png", "sentence": "the cup", "box": [1, 2, 3]}',
    '{"image": 7, "sentence": "the cup", "box": [1, 2, 3, 4]}',
    "{oops",
  ];
  writeFileSync(join(cwd, "rows.jsonl"), lines.join("\n"));
  mkdirSync(join(cwd, "photos"));
  const { code, err } = await run(
    "mine",
    "--from",
    "rows.jsonl",
    "--images",
    "photos",
    "--box-format",
    "xyxy",
  );
  expect(code).toBe(2);
  for (const number of [1, 2, 3]) expect(err).toMatch(new RegExp(`rows\\.jsonl:${number}`));
});

test("an image outside the folder is not found, by line", async () => {
  const { cwd, run } = workspace();
  mkdirSync(join(cwd, "photos"));
  writeFileSync(
    join(cwd, "rows.jsonl"),
    '{"image": "../../etc/passwd", "sentence": "the cup", "box": [1, 2, 3, 4]}',
  );
  const { code, err } = await run(
    ...["mine", "--from", "rows.jsonl", "--images", "photos", "--box-format", "xyxy"],
  );
  expect(code).toBe(2);
  expect(err).toMatch(/rows\.jsonl:1: "\.\.\/\.\.\/etc\/passwd"/);
});

test.each([
  [["mine", "--from", "rows.jsonl", "--images", "."], "--box-format: expected "],
  [["mine", "--from", "rows.xlsx", "--images", "."], "rows.xlsx: expected "],
  [["mine", "--from", "rows.jsonl", "--box-format", "xywh"], "--images: expected "],
  [["refcocg", "--root", "."], "Did you mean refcocog?"],
  [["refcocog"], "--root: expected "],
  [["refcoco", "--root", ".", "--split-by", "umd"], "--split-by umd: expected unc"],
  [["refcocog", "--root", "."], "refs(umd).p"],
  [["Mine!", "--from", "rows.jsonl"], "Mine!: expected "],
  [["refcocog", "--root", ".", "--image-size", "100"], "--image-size 100: expected a multiple of 32"],
])("prepare %j is rejected with a helpful message", async (args, expected) => {
  const { code, err } = await workspace().run(...args);
  expect(err).toContain(expected);
  expect(code).toBe(2);
});

test("--download fetches missing files from the mirrors of --sources", async () => {
  const { cwd, run } = workspace();
  writeArchives(join(cwd, "remote"));
  const names = ["refcocog.zip", "train2014.zip"];
  const bodies = names.map((name) => readFileSync(join(cwd, "remote", name)));
  const mirror = await startMirror(
    Object.fromEntries(names.map((name, index) => [`/${name}`, serves(bodies[index] ?? Buffer.alloc(0))])),
  );
  const files = names.map((name, index) => ({
    name,
    datasets: ["refcocog"],
    bytes: bodies[index]?.length ?? null,
    sha256: null,
    urls: [mirror.at("/dead.zip"), mirror.at(`/${name}`)],
    license: "none",
    by_hand: "ask the authors",
  }));
  writeFileSync(join(cwd, "sources.json"), JSON.stringify({ files }));
  const { code, err } = await run("refcocog", "--root", "have", "--download", "--sources", "sources.json");
  expect(code, err).toBe(0);
  expect(facts(cwd, "refcocog-umd").splits).toHaveLength(3);
  const num_requests = mirror.requests.length;
  expect((await run("refcocog", "--root", "have", "--download", "--sources", "sources.json")).code).toBe(0);
  expect(mirror.requests).toHaveLength(num_requests);
});

test("a trial opens a prepared dataset by name, without the original image files", async () => {
  const { cwd, run } = workspace();
  cpSync(raw, join(cwd, "have"), { recursive: true });
  expect((await run("refcocog", "--root", "have")).code).toBe(0);
  renameSync(join(cwd, "have"), join(cwd, "moved"));
  const experiment = {
    name: "mine",
    question: "Is the dataset found?",
    dataset: { name: "refcocog-umd" },
    settings: { training: { num_epochs: 1 } },
  };
  writeFileSync(join(cwd, "mine.json"), JSON.stringify(experiment));
  const { code, err } = await cliprpn(["sweep", "mine.json", "--python", testPython()], cwd, {
    CLIPRPN_CACHE: cache,
  });
  expect(code, err).toBe(0);
  const other = { ...experiment, dataset: { name: "refcocog-unc" } };
  writeFileSync(join(cwd, "mine.json"), JSON.stringify(other));
  const rejected = await cliprpn(["sweep", "mine.json"], cwd, { CLIPRPN_CACHE: cache });
  expect([rejected.code, rejected.err]).toEqual([2, expect.stringMatching(/refcocog-unc.*refcocog-umd/s)]);
});

const real = join(packageRoot, "../shared/data/refcocog-umd-val.jsonl");

test.skipIf(!existsSync(real))("the real val split is exported as it was read", async () => {
  const { cwd, run } = workspace();
  const columns = ["--columns", "image=file_name,box=bbox", "--box-format", "xywh"];
  const { code, err } = await run("val", "--from", `val=${real}`, "--without-images", ...columns);
  expect(code, err).toBe(0);
  await cliprpnWithPython(["dataset", "export", "val", "--out", "back.jsonl"], cwd, { CLIPRPN_CACHE: cache });
  const read = (file: string): Record<string, unknown>[] =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const original = read(real).map((row) => [row.image_id, row.file_name, row.ann_id, row.bbox, row.sentence]);
  const back = read(join(cwd, "back.jsonl"));
  expect(back.map((row) => [row.image_id, row.image, row.ann_id, row.box, row.sentence])).toEqual(original);
});
