/** `ground`, `evaluate` and `report` with a model that is trained here, in a real Python. */
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GroundResult } from "../../src/contract/generated/types.ts";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { withSingleImage } from "../../src/dataset/prepare/prepare-images.ts";
import { LocalEngine } from "../../src/engine/local/local-engine.ts";
import { drawBoxes } from "../../src/report/images/draw-boxes.ts";
import { imageSizeOf } from "../../src/store/model-facts.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { countLooks } from "../../src/store/test-looks.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type CommandResult, cliprpn } from "../helpers/cli.ts";
import { testPython } from "../helpers/python.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("ground");
const cache = join(folder, "cache");
let sweep: SweepStore;
let trial: TrialStore;
/** Folder of the trial's attempt. */
let attempt = "";

beforeAll(async () => {
  const num_images = { train: 24, val: 30, test: 12 }; // With 30, the probability of a hit is fitted to val.
  await makeDemo(join(folder, "data"), { seed: 5, num_images }, () => undefined);
  await makeDemo(join(folder, "other"), { seed: 6, num_images }, () => undefined);
  const experiment = {
    name: "e2e",
    question: "Which one is better?",
    dataset: { name: "scenes", root: join(folder, "data") },
    settings: { training: { num_epochs: 1 } },
    vary: { fusion: ["film", "concatenation"] },
  };
  writeFileSync(join(folder, "e2e.json"), JSON.stringify(experiment));
  const { code, err } = await run("sweep", "e2e.json");
  expect(code, err).toBe(0);
  sweep = new SweepStore(join(folder, "runs"), "e2e");
  trial = new TrialStore(sweep.runsDir, sweep.read().trials[0]?.spec.trial_id ?? "");
  attempt = trial.attempt(1).folder;
});

const engine = new LocalEngine({
  python: testPython(),
  device: "cpu",
  numThreads: 2,
  logFile: join(folder, "worker.log"),
});

afterAll(() => engine.close());

const run = (...args: string[]): Promise<CommandResult> =>
  cliprpn([...args, "--python", testPython()], folder, { CLIPRPN_CACHE: cache });

/** A photo of a phone: the pixels are rotated, with the EXIF orientation that turns them upright. */
async function rotatedPhoto(): Promise<string> {
  const file = join(folder, "photo.jpg");
  const image = join(folder, "data/images", "demo_000001.png");
  const rotated = await sharp(image).rotate(-90).toBuffer();
  await sharp(rotated).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toFile(file);
  return file;
}

test("ground draws the predicted box on an upright photo", async () => {
  const photo = await rotatedPhoto();
  const upright = join(folder, "upright.png");
  await sharp(photo).autoOrient().png().toFile(upright);
  const prefix = trial.trial_id.slice(0, 8);
  const { code, out, err } = await run(
    "ground",
    photo,
    "the left one",
    "--model",
    prefix,
    "--out",
    "new/box.png",
  );
  expect(code, err).toBe(0);
  const result = JSON.parse(out);
  const { width, height } = await sharp(upright).metadata();
  expect([result.image_width, result.image_height]).toEqual([width, height]);
  expect(result.hit_probability).toBeGreaterThanOrEqual(0);
  const sureness = `${result.hit_probability.toFixed(2)} on val's scale: ${result.sure ? "sure" : "not sure"}`;
  expect(err).toContain(`Probability of a hit ${sureness}`);
  const drawn = await sharp(join(folder, "new/box.png")).metadata();
  expect([drawn.format, drawn.width, drawn.height]).toEqual(["png", width, height]);
  const changed = await changedBox(upright, join(folder, "new/box.png"));
  // The line is a few pixels wide and inside the image.
  for (const [index, edge] of changed.entries())
    expect(Math.abs(edge - result.pred_box_xyxy[index])).toBeLessThan(5);
  const direct = await ground(join(attempt, "best.safetensors"), upright, "the left one");
  for (const [index, edge] of direct.pred_box_xyxy.entries())
    expect(Math.abs(edge - result.pred_box_xyxy[index])).toBeLessThan(0.5);
});

test("ground with a model of an earlier version knows no probability of a hit", async () => {
  const model = mkdtempSync(join(folder, "earlier-"));
  cpSync(join(attempt, "best.safetensors"), join(model, "best.safetensors"));
  const { hit_probability, ...facts } = JSON.parse(readFileSync(join(attempt, "best.json"), "utf8"));
  expect(hit_probability.num_images).toBe(30);
  writeFileSync(join(model, "best.json"), JSON.stringify(facts));
  const image_file = join(folder, "data/images", "demo_000001.png");
  const result = await ground(join(model, "best.safetensors"), image_file, "the left one");
  expect(result).toMatchObject({ hit_probability: null, sure: null });
});

test("a file named .jpg is written as JPEG", async () => {
  const file = join(folder, "box.jpg");
  await drawBoxes(
    join(folder, "data/images/demo_000001.png"),
    [{ box_xyxy: [9, 9, 99, 99], color: "red" }],
    file,
  );
  expect((await sharp(file).metadata()).format).toBe("jpeg");
});

test.each([
  ["missing.png", "x", "photo.png", /missing\.png: .*no file/],
  ["e2e.json", "x", "photo.png", /e2e\.json: .*image/],
  ["data/images/demo_000001.png", "  ", "photo.png", /referring expression/],
  ["data/images/demo_000001.png", "x", "photo.tiff", /--out.*\.png, \.jpg or \.webp/],
  ["data/images/demo_000001.png", "x", "data/images/demo_000001.png", /--out.*input image/],
])("ground %s %j --out %s is rejected before a worker starts", async (image, sentence, out, expected) => {
  const { code, err } = await run("ground", image, sentence, "--model", trial.folder, "--out", out);
  expect(err).toMatch(expected);
  expect(code).toBe(2);
});

test.each([
  ["missing", "/nowhere/gone.safetensors", /gone\.safetensors: .*no file/],
  ["not the one that it was trained with", "shipped", /backbone .*trained/],
])("ground rejects a model whose backbone is %s", async (_, weights, expected) => {
  const model = mkdtempSync(join(folder, "copy-"));
  cpSync(join(attempt, "best.safetensors"), join(model, "best.safetensors"));
  const facts = JSON.parse(readFileSync(join(attempt, "best.json"), "utf8"));
  Object.assign(facts.backbone, { weights, weights_id: "0".repeat(64) });
  writeFileSync(join(model, "best.json"), JSON.stringify(facts));
  const image_file = join(folder, "data/images/demo_000001.png");
  await expect(ground(join(model, "best.safetensors"), image_file, "x")).rejects.toThrow(expected);
});

test("a model file is evaluated like a trial", async () => {
  const copy = mkdtempSync(join(folder, "elsewhere-"));
  for (const name of ["best.safetensors", "best.json"]) cpSync(join(attempt, name), join(copy, name));
  const { code, out, err } = await run("evaluate", join(copy, "best.safetensors"), "--dataset", "data");
  expect(code, err).toBe(0);
  const { metrics, predictions_file } = JSON.parse(out);
  expect({ schema_version: 1, ...metrics }).toEqual(
    JSON.parse(readFileSync(join(attempt, "metrics-val.json"), "utf8")),
  );
  expect(dirname(dirname(predictions_file))).toBe(copy);
});

test("evaluations on test are counted once per dataset; predictions on another dataset do not replace the trial's", async () => {
  expect(readFileSync(sweep.reportFile("val"), "utf8")).toMatch(/test splits .*not been evaluated/);
  const evaluated = await run("evaluate", trial.trial_id, "--split", "test", "--dataset", "other");
  expect(evaluated.code, evaluated.err).toBe(0);
  const { metrics, predictions_file } = JSON.parse(evaluated.out);
  expect(metrics.num_sentences).toBeGreaterThan(0);
  expect(dirname(dirname(predictions_file))).toBe(join(trial.folder, "answers/1"));
  expect(trial.hasAnswers(1, "test")).toBe(false);
  for (let time = 0; time < 2; time += 1) {
    const reported = await run("report", "--split", "test");
    expect(reported.code, reported.err).toBe(0);
  }
  expect(countLooks(sweep.runsDir, sweep.experiment()?.dataset.id ?? "", "test")).toBe(1); // The other dataset has its own.
  const written = readFileSync(sweep.reportFile("test"), "utf8");
  expect(written).toMatch(/test splits .*evaluated once/);
  expect(written).toContain("images of test");
  const images = [...written.matchAll(/\]\((report\/[^)]+)\)/g)].map(([, file]) =>
    join(sweep.folder, file ?? ""),
  );
  expect(images.length).toBeGreaterThan(5);
  for (const file of images) expect(existsSync(file), file).toBe(true);
});

test("the command of a row reproduces its model bit for bit", async () => {
  const row = /npx cliprpn (train e2e\.json --setting concatenation --seed 0 --device [\w:]+)/.exec(
    readFileSync(sweep.reportFile("val"), "utf8"),
  );
  const { code, err } = await run(...(row?.[1] ?? "").split(" "), "--runs-dir", "again");
  expect(code, err).toBe(0);
  const [trial_id = ""] = trialIds(join(folder, "again"));
  for (const file of ["metrics-val.json", "best.safetensors"]) {
    const [first, second] = [sweep.runsDir, join(folder, "again")].map((runs) =>
      readFileSync(join(new TrialStore(runs, trial_id).attempt(1).folder, file)),
    );
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
  }
});

/** Bounding box, xyxy, of the pixels that differ between two images. */
async function changedBox(before: string, after: string): Promise<number[]> {
  const [a, b] = await Promise.all(
    [before, after].map((file) => sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true })),
  );
  if (a === undefined || b === undefined) return [];
  const { width, height } = a.info;
  const box = [width, height, 0, 0];
  for (let index = 0; index < a.data.length; index += 1) {
    if (Math.abs((a.data[index] ?? 0) - (b.data[index] ?? 0)) < 8) continue;
    const pixel = Math.floor(index / 3);
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    box[0] = Math.min(box[0] ?? 0, x);
    box[1] = Math.min(box[1] ?? 0, y);
    box[2] = Math.max(box[2] ?? 0, x + 1);
    box[3] = Math.max(box[3] ?? 0, y + 1);
  }
  return box;
}

function ground(model: string, image_file: string, sentence: string): Promise<GroundResult> {
  return withSingleImage(image_file, imageSizeOf(model), new AbortController().signal, (pixels_manifest) =>
    engine.call("ground", { model, backbone_weights: null, pixels_manifest, sentence }),
  );
}
