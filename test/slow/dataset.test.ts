/** `cliprpn dataset show|check|export` on a prepared dataset, and on a folder that is prepared on first use. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Arguments, type Context } from "../../src/commands/command.ts";
import { datasetCheck } from "../../src/commands/dataset-check.ts";
import { datasetShow } from "../../src/commands/dataset-show.ts";
import { checkMessage } from "../../src/contract/check.ts";
import type { DatasetChoice, DatasetStats } from "../../src/contract/generated/types.ts";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { findDataset, identifyDataset } from "../../src/dataset/identify-dataset.ts";
import { imageFolder } from "../../src/dataset/images/image-source.ts";
import { ensurePrepared } from "../../src/dataset/prepare/ensure-prepared.ts";
import { prepareDataset } from "../../src/dataset/prepare/prepare-dataset.ts";
import { rowsSource } from "../../src/dataset/prepare/rows-source.ts";
import { LocalEngine } from "../../src/engine/local/local-engine.ts";
import { type CommandResult, cliprpnWithPython } from "../helpers/cli.ts";
import { testPython } from "../helpers/python.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("dataset");
const folders = { data: join(folder, "data"), cache: join(folder, "cache") };

const engine = new LocalEngine({
  python: testPython(),
  device: "cpu",
  numThreads: 1,
  logFile: join(folder, "worker.log"),
});

beforeAll(async () => {
  mkdirSync(join(folder, "photos"));
  for (let index = 0; index < 8; index += 1) {
    const create = {
      width: 80,
      height: 60,
      channels: 3,
      background: { r: 30 * index, g: 9, b: 90 },
    } as const;
    await sharp({ create })
      .png()
      .toFile(join(folder, "photos", `${index}.png`));
  }
  write("train.jsonl", [0, 1, 2, 3, 4]);
  write("val.jsonl", [5, 6, 7]);
  await prepare("mine", ["train=train.jsonl", "val=val.jsonl"]);
});

afterAll(() => engine.close());

/** Writes a row for each image. */
function write(name: string, images: number[]): void {
  const rows = images.map((index) => ({
    image: `${index}.png`,
    sentence: `the ${index}th | one`,
    box: [8, 6, 24, 18],
  }));
  writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

const quiet = {
  call: engine.call.bind(engine),
  onPhase: () => undefined,
  onProgress: () => undefined,
  onReplaced: () => undefined,
};

async function prepare(name: string, from: string[], photos = true): Promise<void> {
  await prepareDataset(
    {
      folder: join(folders.data, name),
      name,
      split_by: "own",
      source: rowsSource({ from, box_format: "xywh", split_seed: 0 }, folder),
      images: photos ? imageFolder(join(folder, "photos")) : null,
      sizes: [{ image_size_px: 64, resize: "squash" }],
      max_pixels: 1_000_000,
      follow_links: false,
      allow_missing: false,
      cliprpn_version: "0.1.0",
    },
    quiet,
  );
}

/** Runs a command line. */
const run = (...args: string[]): Promise<CommandResult> =>
  cliprpnWithPython(args, folder, { CLIPRPN_CACHE: folders.cache });

/** Runs the action of a command, without the command line. */
async function act(
  action: typeof datasetCheck,
  choice: DatasetChoice,
  options: Record<string, unknown> = {},
): Promise<CommandResult> {
  const terminal = recordingTerminal();
  const context: Context = {
    terminal,
    cwd: folder,
    env: {},
    signal: new AbortController().signal,
    commandLine: "",
  };
  const code = await action(await findDataset(choice, folders), engine, new Arguments(options), context);
  return { code, out: terminal.results.join("\n"), err: terminal.lines.join("\n") };
}

const failed = ({ out }: CommandResult): string[] =>
  out.split("\n").filter((line) => line.startsWith("FAIL"));

test("show prints the statistics and writes the card and the contact sheet", async () => {
  const { code, out, err } = await run("dataset", "show", "mine");
  expect(code, err).toBe(0);
  expect(out).toMatch(/^mine, split by own .*\n8 referred objects, 8 expressions, 8 annotated objects$/m);
  expect(out).toMatch(/^ {2}images +5 +3$/m);
  expect(out).toMatch(/^ {2}median +9\.0 +9\.0$/m); // 24 x 18 of 80 x 60
  expect(err).toContain("data/mine/card.md\n");
  expect(err).toContain("data/mine/contact-sheet.png\n");
  const card = readFileSync(join(folders.data, "mine/card.md"), "utf8");
  expect(card).toContain("cliprpn prepare mine --from train=");
  expect((await sharp(join(folders.data, "mine/contact-sheet.png")).metadata()).width).toBe(1416);
});

test("show --json prints the statistics of the contract", async () => {
  const { code, out } = await act(datasetShow, { name: "mine" }, { json: true });
  expect(code).toBe(0);
  const stats: DatasetStats = checkMessage("dataset_stats", "result", JSON.parse(out));
  expect(stats.splits.map(({ num_sentences }) => num_sentences)).toEqual([5, 3]);
});

test("a flipped byte in a shard is reported with exit code 2, and the suggested command fixes it", async () => {
  const intact = await act(datasetCheck, { name: "mine" });
  expect(intact.code, intact.out).toBe(0);
  expect(intact.out).toMatch(/^ok {3}train and val share no image: .*pixels$/m);

  const shard = join(folders.data, "mine/pixels/squash-64/shard-00000.npy");
  const bytes = readFileSync(shard);
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  writeFileSync(shard, bytes);
  const damaged = await run("dataset", "check", "mine");
  expect(damaged.code).toBe(2);
  expect(failed(damaged)).toEqual([
    expect.stringMatching(/shard-00000\.npy: .* delete it and run `cliprpn prepare mine /),
  ]);

  rmSync(shard);
  await prepare("mine", ["train=train.jsonl", "val=val.jsonl"]);
  expect((await act(datasetCheck, { name: "mine" })).code).toBe(0);
});

test("changed annotations, a changed and a missing image, and a missing table are reported", async () => {
  write("a.jsonl", [0, 1, 2, 3]);
  write("b.jsonl", [4, 5]);
  mkdirSync(join(folder, "moved"));
  await prepare("other", ["train=a.jsonl", "val=b.jsonl"]);
  write("a.jsonl", [0, 1, 2]);
  for (const name of ["1.png", "2.png"])
    renameSync(join(folder, "photos", name), join(folder, "moved", name));
  copyFileSync(join(folder, "moved/2.png"), join(folder, "photos/1.png"));
  rmSync(join(folders.data, "other/sentences.parquet"));
  const { code, out } = await act(datasetCheck, { name: "other" });
  for (const name of ["1.png", "2.png"])
    renameSync(join(folder, "moved", name), join(folder, "photos", name));
  expect(code).toBe(2);
  expect(out).toMatch(/^FAIL annotation files .*a\.jsonl: .*`cliprpn prepare other /m);
  expect(out).toMatch(/^FAIL images .*: 1 of 6 missing: 2\.png .*; 1 changed .*: 1\.png/m);
  expect(out).toMatch(/^FAIL tables .*sentences\.parquet.*dataset\.json/m);
});

test("an image in two splits and a copy under another name fail the check", async () => {
  copyFileSync(join(folder, "photos/0.png"), join(folder, "photos/8.png"));
  write("c.jsonl", [0, 1, 2]);
  write("d.jsonl", [2, 3, 8]);
  await prepare("leaky", ["train=c.jsonl", "val=d.jsonl"]);
  const { code, out } = await act(datasetCheck, { name: "leaky" }, { json: true });
  expect(code).toBe(2);
  const results: { state: string; what: string; detail: string }[] = JSON.parse(out);
  expect(results.filter(({ state }) => state === "FAIL")).toEqual([
    {
      state: "FAIL",
      what: "train and val share no image",
      detail: expect.stringMatching(/^1 image in both, 1 referring expression .*: 2\.png; 1 more .*pixels/),
    },
  ]);
});

test("two datasets are compared by the content of their images", async () => {
  // In `leaky`, 0, 1 and 2 are train, and 2, 3 and a copy of 0 are val; in `mine`, 0 to 4 are train.
  const { code, out } = await run("dataset", "check", "mine", "leaky");
  expect(code).toBe(0);
  expect(out).toMatch(/^note mine train and leaky train .*: 3 of 3 .* 3 with the same file/m);
  expect(out).toMatch(/^note mine train and leaky val .*: 3 of 3 .*0\.png = 8\.png/m);
  expect(out).toMatch(/^ok {3}mine val and leaky val .*: none of 3$/m);
  const several = await run("dataset", "show", "mine", "leaky");
  expect([several.code, several.err]).toEqual([2, expect.stringContaining("expected one dataset, found 2")]);
});

test("a dataset without images has a summary and a card, but no contact sheet", async () => {
  await prepare("bare", ["train.jsonl"], false);
  const { code, out } = await act(datasetShow, { name: "bare" });
  expect(code).toBe(0);
  expect(out).toContain("without images");
  expect(existsSync(join(folders.data, "bare/card.md"))).toBe(true);
  expect(existsSync(join(folders.data, "bare/contact-sheet.png"))).toBe(false);
  const checked = await act(datasetCheck, { name: "bare" });
  expect(checked.code, checked.out).toBe(0);
  await expect(identifyDataset({ name: "bare" }, folders)).rejects.toThrow(/--images/);
});

test("a folder in RefCOCOg's layout is prepared in the cache, shown and checked", async () => {
  const root = join(folder, "scenes");
  await makeDemo(root, { seed: 5, num_images: { train: 8, val: 4, test: 4 } }, () => undefined);
  const dataset = await findDataset({ name: "scenes", root }, folders);
  await ensurePrepared(dataset, [{ image_size_px: 64, resize: "squash" }], "0.1.0", quiet);
  const shown = await act(datasetShow, { name: "scenes", root });
  expect(shown.out).toMatch(/^scenes, split by umd .*\n\d+ referred objects, \d+ expressions/m);
  expect(shown.err).toMatch(/cache\/prepared\/[0-9a-f]{16}\/card\.md/);
  expect(readFileSync(join(dataset.root, "card.md"), "utf8")).toContain("icons in the images");
  const checked = await act(datasetCheck, { name: "scenes", root });
  expect(checked.code, checked.out).toBe(0);
});

test("export writes the boxes in the requested format", async () => {
  const exported = await run("dataset", "export", "mine", "--out", "mine.jsonl", "--box-format", "xyxy");
  expect(exported.code, exported.err).toBe(0);
  const [row = ""] = readFileSync(join(folder, "mine.jsonl"), "utf8").split("\n");
  expect(JSON.parse(row)).toMatchObject({ image: "0.png", box: [8, 6, 32, 24], split: "train" });
});

test.each([
  [["chekc", "mine"], "Did you mean check?"],
  [["show", "mien"], "mien: expected demo, a folder"],
  [["check", "mien"], "mine"],
  [["export", "mine"], "--out: expected"],
  [["export", "mine", "--out", "mine.csv"], "--out mine.csv: expected a .jsonl or .json file"],
])("dataset %j is rejected with a helpful message", async (words, expected) => {
  const { code, out, err } = await run("dataset", ...words);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(expected);
});
