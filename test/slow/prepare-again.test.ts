/** `prepare` with the name of an existing dataset: old data never leaks into the new dataset and is not lost on a failure. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { type CommandResult, prepareSweep } from "../helpers/cli.ts";
import { type Run, workspaceIn } from "../helpers/prepare-workspace.ts";
import { testPython } from "../helpers/python.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("prepare-again");
const cache = join(folder, "cache");

/** A new working folder; `prepare` prepares the dataset `mine` there. */
function workspace(): { cwd: string; run: Run; prepare: Run } {
  const { cwd, run } = workspaceIn(folder, cache);
  const prepare: Run = (name, ...args) =>
    run("prepare", "mine", "--from", `${name}.jsonl`, "--box-format", "xyxy", ...args);
  return { cwd, run, prepare };
}

/** Writes ten images of one color to a folder of this name, and their rows to NAME.jsonl. */
async function photos(cwd: string, name: string, background: string, prefix = name): Promise<void> {
  mkdirSync(join(cwd, name));
  const files = Array.from({ length: 10 }, (_, index) => `${prefix}-${index}.png`);
  for (const file of files)
    await sharp({ create: { width: 40, height: 30, channels: 3, background } }).toFile(join(cwd, name, file));
  const rows = files.map((image) => JSON.stringify({ image, sentence: "the cup", box: [1, 2, 30, 20] }));
  writeFileSync(join(cwd, `${name}.jsonl`), rows.join("\n"));
}

/** Failed checks, except that images of one color are duplicates across splits. */
const failed = ({ out }: CommandResult): string[] =>
  out.split("\n").filter((line) => line.startsWith("FAIL") && !line.includes("share no image"));
const shard = (cwd: string, size: number): Buffer =>
  readFileSync(join(cwd, `data/mine/pixels/squash-${size}/shard-00000.npy`));

test("another size of the replaced dataset is prepared again before a trial uses it", async () => {
  const { cwd, run, prepare } = workspace();
  await photos(cwd, "red", "red");
  await photos(cwd, "blue", "blue");
  expect((await prepare("red", "--images", "red", "--image-size", "96")).code).toBe(0);
  expect((await prepare("blue", "--images", "blue", "--image-size", "64")).code).toBe(0);
  expect(failed(await run("dataset", "check", "mine"))).toEqual([]);
  const experiment = {
    name: "mine",
    question: "Are the new images used?",
    dataset: { name: "mine" },
    settings: { image_size_px: 96, training: { num_epochs: 1 } },
  };
  writeFileSync(join(cwd, "mine.json"), JSON.stringify(experiment));
  await prepareSweep("mine.json", cwd, { CLIPRPN_CACHE: cache });
  expect([...shard(cwd, 96).subarray(-3)]).toEqual([0, 0, 255]);
  // Images of the same names and sizes, other colors.
  for (const file of readdirSync(join(cwd, "blue")))
    copyFileSync(join(cwd, "red", file.replace("blue", "red")), join(cwd, "blue", file));
  expect((await prepare("blue", "--images", "blue", "--image-size", "64")).code).toBe(0);
  await prepareSweep("mine.json", cwd, { CLIPRPN_CACHE: cache });
  expect([...shard(cwd, 96).subarray(-3)]).toEqual([255, 0, 0]);
});

test("a failed preparation under the same name leaves the first dataset usable", async () => {
  const { cwd, run, prepare } = workspace();
  await photos(cwd, "red", "red");
  await photos(cwd, "blue", "blue");
  const red = ["red", "--images", "red", "--image-size", "64"] as const;
  expect((await prepare(...red)).code).toBe(0);
  const before = readFileSync(join(cwd, "data/mine/dataset.json"), "utf8");
  expect((await prepare("blue", "--images", "red", "--image-size", "64")).err).toContain('"blue-0.png"');
  expect(readFileSync(join(cwd, "data/mine/dataset.json"), "utf8")).toBe(before);
  const again = await prepare(...red);
  expect(again.code, again.err).toBe(0);
  expect(failed(await run("dataset", "check", "mine"))).toEqual([]);
});

test("the images of a replaced archive are extracted again", async () => {
  const { cwd, prepare } = workspace();
  await photos(cwd, "red", "red", "photo");
  await photos(cwd, "blue", "blue", "photo");
  for (const name of ["red", "blue"]) {
    execFileSync(testPython(), ["-m", "zipfile", "-c", "photos.zip", name], { cwd });
    const { code, err } = await prepare(name, "--images", "photos.zip", "--image-size", "64");
    expect(code, err).toBe(0);
  }
  expect([...shard(cwd, 64).subarray(-3)]).toEqual([0, 0, 255]);
});

test("damaged files of the dataset are rewritten by the same command", async () => {
  const { cwd, prepare } = workspace();
  await photos(cwd, "red", "red");
  const red = ["red", "--images", "red", "--image-size", "64"] as const;
  expect((await prepare(...red)).code).toBe(0);
  for (const name of ["pictures.json", "dataset.json"]) {
    const file = join(cwd, "data/mine", name);
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, 100));
    const { code, err } = await prepare(...red);
    expect(code, err).toBe(0);
    expect(readFileSync(file, "utf8")).toHaveLength(whole.length);
  }
});

test("of two simultaneous preparations, one waits for the other", async () => {
  const { cwd, run } = workspace();
  await makeDemo(join(cwd, "have"), { seed: 7, num_images: { train: 3, val: 1, test: 1 } }, () => undefined);
  renameSync(join(cwd, "have/annotations"), join(cwd, "have/refcocog"));
  execFileSync(testPython(), ["-m", "zipfile", "-c", "refcocog.zip", "refcocog"], { cwd: join(cwd, "have") });
  rmSync(join(cwd, "have/refcocog"), { recursive: true });
  const prepareOnce = (): Promise<CommandResult> =>
    run("prepare", "refcocog", "--root", "have", "--image-size", "64");
  const results = await Promise.all([prepareOnce(), prepareOnce()]);
  expect(
    results.map(({ code }) => code),
    results.map(({ err }) => err).join("\n"),
  ).toEqual([0, 0]);
});
