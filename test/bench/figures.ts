import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { runPython } from "./python.ts";
import type { Row } from "./rows.ts";
import { cli } from "./scenes.ts";

const numSettings = 333;
const numSeeds = 3;
const kinds = ["dog", "cat", "cup"];

interface Measured {
  duration_s: number;
  peak_bytes: number;
  num_sentences: number;
}

/** The figures of a report on 1,000 trials with 10,000 expressions: the first time, again, and with one more trial. */
export async function figuresRows(folder: string, python: string): Promise<Row[]> {
  const root = await prepareDataset(folder, python);
  const trials = join(folder, "figures");
  const run = <Output>(command: string, settings: number, seeds: number): Promise<Output> =>
    runPython<Output>(python, "figures", [command, ...root, trials, String(settings), String(seeds)]);
  await run("make", numSettings, numSeeds);
  const cold = await run<Measured>("measure", numSettings, numSeeds);
  const warm = await run<Measured>("measure", numSettings, numSeeds);
  await run("make", numSettings + 1, numSeeds);
  const more = await run<Measured>("measure", numSettings + 1, numSeeds);
  const peak = Math.max(cold.peak_bytes, warm.peak_bytes);
  const what = `figures of a report: ${numSettings} configurations with ${numSeeds} seeds, ${cold.num_sentences} expressions`;
  return [
    row(`${what}, the first time`, cold, 90),
    row(`${what}, again`, warm, 10),
    { ...row("the same, peak memory of Python", cold, 0), ...memory(peak) },
    row("the same with one more configuration", more, 10),
  ];
}

function row(what: string, { duration_s }: Measured, target: number): Row {
  const result = `${duration_s.toFixed(1)} s`;
  return { what, ours: result, baseline: "", result, target: `<= ${target} s`, met: duration_s <= target };
}

function memory(peak: number): Pick<Row, "ours" | "result" | "target" | "met"> {
  const result = `${Math.round(peak / 1e6)} MB`;
  return { ours: result, result, target: "< 1000 MB", met: peak < 1e9 };
}

/** A prepared dataset without images. @returns its folder and its id. */
async function prepareDataset(folder: string, python: string): Promise<[root: string, id: string]> {
  const file = join(folder, "rows.jsonl");
  const rows = [...expressions("val", 2600, 10_000), ...expressions("train", 100, 300)];
  writeFileSync(file, rows.map((each) => `${JSON.stringify(each)}\n`).join(""));
  const env = { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_PYTHON: python };
  const args = ["prepare", "many", "--from", file, "--without-images", "--box-format", "xyxy"];
  await execa(process.execPath, [cli, ...args], { cwd: folder, env });
  const root = join(folder, "data/many");
  return [root, JSON.parse(readFileSync(join(root, "dataset.json"), "utf8")).id];
}

function expressions(split: string, numImages: number, num: number): Record<string, unknown>[] {
  return Array.from({ length: num }, (_, index) => {
    const [x, y] = [(index * 37) % 300, (index * 53) % 200];
    const kind = kinds[index % kinds.length] ?? "";
    return {
      image: `${split}-${Math.floor((index * numImages) / num)}.jpg`,
      width: 640,
      height: 480,
      sentence: `the ${kind}${" near it".repeat(index % 6)}`,
      box: [x, y, x + 20 + ((index * 7) % 280), y + 20 + ((index * 11) % 230)],
      category: kind,
      split,
    };
  });
}
