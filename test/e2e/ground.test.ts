/** A model trained here: what `ground`, `evaluate` and `report` make of it, with a real Python. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GroundResult } from "../../src/contract/generated/types.ts";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { withOneImage } from "../../src/dataset/prepare/one-image.ts";
import { LocalEngine } from "../../src/engine/local/local-engine.ts";
import { drawBoxes } from "../../src/report/draw.ts";
import { imageSizeOf } from "../../src/store/model-facts.ts";
import { evaluationFolder } from "../../src/store/sweep-store.ts";
import { cliprpn, type Said } from "../helpers/cli.ts";
import { testPython } from "../helpers/python.ts";

const folder = mkdtempSync(join(tmpdir(), "cliprpn-ground-"));
const cache = join(folder, "cache");
let sweep = "";
let trial = "";

beforeAll(async () => {
  const num_images = { train: 24, val: 12, test: 12 };
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
  sweep = join(folder, "runs", readdirSync(join(folder, "runs"))[0] ?? "");
  const trials = JSON.parse(readFileSync(join(sweep, "plan.json"), "utf8")).trials;
  trial = join(sweep, trials[0].trial_id);
}, 120_000);

const engine = new LocalEngine({
  python: testPython(),
  device: "cpu",
  numThreads: 2,
  numSlots: 1,
  logFile: join(folder, "worker.log"),
});

afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Said> =>
  cliprpn([...args, "--python", testPython()], folder, { CLIPRPN_CACHE: cache });

/** A photo as a phone keeps it: the image on its side, and a flag that says so. */
async function onItsSide(): Promise<string> {
  const file = join(folder, "photo.jpg");
  const picture = join(folder, "data/images", "demo_000001.png");
  const side = await sharp(picture).rotate(-90).toBuffer();
  await sharp(side).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toFile(file);
  return file;
}

test("ground draws the box where it says, on a photo the right way up", async () => {
  const photo = await onItsSide();
  const upright = join(folder, "upright.png");
  await sharp(photo).autoOrient().png().toFile(upright);
  const named = trial.slice(-16, -8); // The beginning of its id.
  const { code, out, err } = await run(
    "ground",
    photo,
    "the left one",
    "--model",
    named,
    "--out",
    "new/box.png",
  );
  expect(code, err).toBe(0);
  const found = JSON.parse(out);
  const { width, height } = await sharp(upright).metadata();
  expect([found.image_width, found.image_height]).toEqual([width, height]);
  const drawn = await sharp(join(folder, "new/box.png")).metadata();
  expect([drawn.format, drawn.width, drawn.height]).toEqual(["png", width, height]);
  const changed = await changedBox(upright, join(folder, "new/box.png"));
  // The line is a few pixels wide, and stands inside the image.
  for (const [index, edge] of changed.entries())
    expect(Math.abs(edge - found.pred_box_xyxy[index])).toBeLessThan(5);
  const straight = await ground(trial, upright, "the left one");
  for (const [index, edge] of straight.pred_box_xyxy.entries())
    expect(Math.abs(edge - found.pred_box_xyxy[index])).toBeLessThan(0.5);
}, 120_000);

test("drawings are JPEG where the name says so", async () => {
  const file = join(folder, "box.jpg");
  await drawBoxes(
    join(folder, "data/images/demo_000001.png"),
    [{ box_xyxy: [9, 9, 99, 99], color: "red" }],
    file,
  );
  expect((await sharp(file).metadata()).format).toBe("jpeg");
});

test.each([
  ["missing.png", "x", "photo.png", "missing.png: expected an image, found no file"],
  ["e2e.json", "x", "photo.png", "e2e.json: expected an image"],
  ["data/images/demo_000001.png", "  ", "photo.png", "the sentence is empty"],
  ["data/images/demo_000001.png", "x", "photo.tiff", "expected a .png, .jpg or .webp file"],
  ["data/images/demo_000001.png", "x", "data/images/demo_000001.png", "this is the image itself"],
])("ground %s %j --out %s is refused before anything starts", async (image, sentence, out, expected) => {
  const { code, err } = await run("ground", image, sentence, "--model", trial, "--out", out);
  expect(err).toContain(expected);
  expect(code).toBe(2);
});

test.each([
  ["gone", "/nowhere/gone.safetensors", /gone\.safetensors: expected the weights of .*found no file/],
  ["another one now", "shipped", /expected the backbone that the model was trained on/],
])(
  "a model whose backbone is %s is not grounded with",
  async (_, weights, expected) => {
    const model = mkdtempSync(join(folder, "copy-"));
    cpSync(join(trial, "best.safetensors"), join(model, "best.safetensors"));
    const facts = JSON.parse(readFileSync(join(trial, "best.json"), "utf8"));
    Object.assign(facts.spec.backbone, { weights, weights_id: "0".repeat(64) });
    writeFileSync(join(model, "best.json"), JSON.stringify(facts));
    const image_file = join(folder, "data/images/demo_000001.png");
    await expect(ground(model, image_file, "x")).rejects.toThrow(expected);
  },
  30_000,
);

test("a model file is evaluated as a trial is", async () => {
  const out_dir = evaluationFolder(join(trial, "best.safetensors"), undefined);
  const params = { split: "val", dataset: null, out_dir, cache_dir: cache } as const;
  const { metrics } = await engine.call("evaluate", { ...params, model: join(trial, "best.safetensors") });
  expect(metrics).toEqual(JSON.parse(readFileSync(join(trial, "metrics-val.json"), "utf8")));
  expect(out_dir).toBe(join(trial, "evaluated-best"));
}, 30_000);

test("each look at test is counted; answers on other data leave the trial's own alone", async () => {
  expect(readFileSync(join(sweep, "REPORT.md"), "utf8")).toContain("The test split has not been looked at.");
  const evaluated = await run("evaluate", trial, "--split", "test", "--dataset", "other");
  expect(evaluated.code, evaluated.err).toBe(0);
  const { metrics, predictions_file } = JSON.parse(evaluated.out);
  expect(metrics.num_sentences).toBeGreaterThan(0);
  expect(dirname(dirname(predictions_file))).toBe(trial);
  expect(existsSync(join(trial, "predictions-test.parquet"))).toBe(false);
  const reported = await run("report", "--split", "test");
  expect(reported.code, reported.err).toBe(0);
  const written = readFileSync(join(sweep, "REPORT-test.md"), "utf8");
  expect(written).toContain("The test split has been looked at 2 times in this sweep.");
  expect(written).toContain("images of test.");
  const pictures = [...written.matchAll(/\]\((report\/[^)]+)\)/g)].map(([, file]) => join(sweep, file ?? ""));
  expect(pictures.length).toBeGreaterThan(5);
  for (const file of pictures) expect(existsSync(file), file).toBe(true);
}, 120_000);

test("a row's command trains the same model again, to the last bit", async () => {
  const row = /npx cliprpn (train e2e\.json --setting concatenation --seed 0 --device [\w:]+)/.exec(
    readFileSync(join(sweep, "REPORT.md"), "utf8"),
  );
  const { code, err } = await run(...(row?.[1] ?? "").split(" "), "--runs-dir", "again");
  expect(code, err).toBe(0);
  const again = join(folder, "again", readdirSync(join(folder, "again"))[0] ?? "");
  const [spec] = JSON.parse(readFileSync(join(again, "plan.json"), "utf8")).trials;
  for (const file of ["metrics-val.json", "best.safetensors"]) {
    const [first, second] = [sweep, again].map((each) => readFileSync(join(each, spec.trial_id, file)));
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
  }
}, 120_000);

/** Left, top, right and bottom of what differs between two images. */
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
  return withOneImage(image_file, imageSizeOf(model), new AbortController().signal, (pixels_manifest) =>
    engine.call("ground", { model, pixels_manifest, sentence }),
  );
}
