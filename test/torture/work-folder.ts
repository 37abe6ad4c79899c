import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { cacheFolders } from "../../src/environment/cache-folders.ts";

/** A folder in which a small sweep runs: its data, its experiment, and a cache and temporary files of its own. */
export interface WorkFolder {
  folder: string;
  runs: string;
  cache: string;
  temporary: string;
}

export const sweepName = "torture";

/** Makes the data of all sweeps. */
export async function makeData(folder: string): Promise<void> {
  await makeDemo(folder, { seed: 7, num_images: { train: 12, val: 6, test: 6 } }, () => undefined);
}

export interface WorkOptions {
  data: string;
  /** Of each of two fusions. */
  numSeeds: number;
  /** Also trials of a detector that is trained, which take longer. */
  hasYolo: boolean;
  /** A cache to begin with; features are extracted otherwise, and the dataset is prepared. */
  readyCache?: string | undefined;
}

export function makeWorkFolder(
  folder: string,
  { data, numSeeds, hasYolo, readyCache }: WorkOptions,
): WorkFolder {
  const work = {
    folder,
    runs: join(folder, "runs"),
    cache: join(folder, "cache"),
    temporary: join(folder, "tmp"),
  };
  for (const each of [folder, work.temporary]) mkdirSync(each, { recursive: true });
  cpSync(data, join(folder, "data"), { recursive: true });
  if (readyCache !== undefined) cpSync(readyCache, work.cache, { recursive: true, verbatimSymlinks: true });
  else linkCheckedPython(work.cache);
  writeFileSync(join(folder, `${sweepName}.json`), JSON.stringify(experimentWith(numSeeds, hasYolo)));
  return work;
}

const experimentWith = (numSeeds: number, hasYolo: boolean): object => ({
  name: sweepName,
  question: "Does the sweep survive?",
  dataset: { name: "scenes", root: "data" },
  num_threads: 1,
  settings: { training: { num_epochs: 3 } },
  vary: { fusion: ["film", "concatenation"] },
  seeds: Array.from({ length: numSeeds }, (_, seed) => seed),
  ...(hasYolo ? { also: [{ "baseline.detector": yolo, "baseline.ranking": "crop" }] } : {}),
});

const yolo = { kind: "trained_yolo", num_epochs: 3, image_size_px: 64 };

/** The check of an interpreter imports torch: it is done once, in the cache of the person who runs this. */
function linkCheckedPython(cache: string): void {
  const checked = join(cacheFolders(process.env).own, "own-python");
  for (const folder of [checked, cache]) mkdirSync(folder, { recursive: true });
  if (!existsSync(join(cache, "own-python"))) symlinkSync(checked, join(cache, "own-python"));
}
