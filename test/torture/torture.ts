import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../src/dataset/demo/random.ts";
import { Mark } from "../helpers/marked.ts";
import { Counts } from "./counts.ts";
import { disturbSweep } from "./disturbed-sweep.ts";
import type { Undisturbed } from "./draw-faults.ts";
import type { TorturedEngine } from "./engines/tortured-engine.ts";
import { buildFaults, FaultBoard } from "./fault-board.ts";
import { placesOf } from "./places.ts";
import { type RunOptions, runSweep } from "./run-sweep.ts";
import { makeData, makeWorkFolder, type WorkFolder, type WorkOptions } from "./work-folder.ts";

export interface TortureOptions {
  kills: number;
  /** Of the first sweep; that of the next one is higher by one. */
  seed: number;
  /** An empty folder. */
  folder: string;
  python: string;
  engine: TorturedEngine;
  hasYolo?: boolean;
  /** Trials at the same time, and seeds of each of two fusions. */
  size?: { numWorkers: number; numSeeds: number };
  say: (line: string) => void;
}

/**
 * Disturbs sweeps until as many processes have been killed, and compares each with one that was left alone.
 *
 * @returns the counts, and the number of places of an undisturbed run.
 * @throws if the undisturbed sweep fails.
 */
export async function torture(options: TortureOptions): Promise<{ counts: Counts; numPlaces: number }> {
  const { kills, seed, folder, python, engine, size = { numWorkers: 2, numSeeds: 2 }, say } = options;
  const { hasYolo = false } = options;
  const { numWorkers, numSeeds } = size;
  const start = { python, numWorkers, engine };
  const data = join(folder, "data");
  await makeData(data);
  const workOptions = { data, numSeeds, hasYolo };
  const built = buildFaults(folder);
  if ("missing" in built) say(`${built.missing}: kills at random moments only`);
  const library = "library" in built ? built.library : undefined;
  const undisturbed = await leaveAlone(join(folder, "undisturbed"), workOptions, { ...start, library });
  const counts = new Counts();
  for (let index = 0; counts.numKills < kills && counts.differences.length < maxDifferences; index += 1) {
    const sweepFolder = join(folder, `sweep-${seed + index}`);
    // Every other sweep prepares its dataset and extracts features.
    const readyCache = index % 2 === 0 ? undisturbed.work.cache : undefined;
    const work = makeWorkFolder(join(sweepFolder, "work"), { ...workOptions, readyCache });
    const random = new Random(seed + index, 0);
    const before = counts.numKills;
    try {
      await disturbSweep(work, { ...start, random, library, undisturbed, counts, maxKills: kills });
      say(`sweep ${seed + index}: ${counts.numKills - before} kills, the same results`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      counts.differences.push(`--seed ${seed + index}, in ${sweepFolder}: ${message}`);
      say(`sweep ${seed + index}: DIFFERENT, see ${sweepFolder}\n${message}`);
    }
  }
  return { counts, numPlaces: undisturbed.places.length };
}

/** More would say the same. */
const maxDifferences = 10;

async function leaveAlone(
  folder: string,
  workOptions: WorkOptions,
  {
    library,
    ...start
  }: Pick<RunOptions, "python" | "numWorkers" | "engine"> & { library: string | undefined },
): Promise<Undisturbed & { work: WorkFolder }> {
  mkdirSync(folder, { recursive: true });
  const work = makeWorkFolder(join(folder, "work"), workOptions);
  const board = new FaultBoard(join(folder, "faults"), []);
  const env = library === undefined ? {} : board.env(library, work.folder);
  const end = await runSweep(work, { ...start, env, mark: new Mark(work.runs), moment: undefined });
  if (end.code !== 0 || end.left.length > 0)
    throw new Error(`the undisturbed sweep ended with ${end.code}: ${end.err}\n${end.left.join("\n")}`);
  return { work, places: placesOf(board.changes), duration_ms: end.duration_ms };
}
