import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Random } from "../../src/dataset/demo/random.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { sweepName } from "./work-folder.ts";

/**
 * Damages a file as a power failure may that follows a kill: cuts the end off one that grows, off a checkpoint, or off the list of
 * trials, which may also lose its middle.
 *
 * @returns the file, or undefined if there is none.
 */
export function tear(random: Random, runs: string): string | undefined {
  const journal = join(new SweepStore(runs, sweepName).folder, "journal.jsonl");
  const unfinished = trialIds(runs).flatMap((id) => {
    const trial = new TrialStore(runs, id);
    return trial
      .attempts()
      .filter((attempt) => trial.outcome(attempt) === undefined)
      .map((attempt) => trial.attempt(attempt).folder);
  });
  const others = unfinished.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /^worker\.log$|^resume\.pt$|tfevents/.test(basename(name)))
      .map((name) => join(folder, name)),
  );
  const files = [journal, trialsFile(runs), ...others].filter(
    (file) => existsSync(file) && statSync(file).size > 1,
  );
  if (files.length === 0) return undefined;
  const file = random.chance(0.5) && files.includes(journal) ? journal : random.pick(files);
  const { size } = statSync(file);
  if (file === trialsFile(runs) && random.chance(0.5)) {
    const at = random.integer(0, size - 2);
    writeFileSync(file, readFileSync(file).fill(0, at, Math.min(size, at + random.integer(1, 512))));
    return file;
  }
  truncateSync(file, size - random.integer(1, lengthOfEnd(file)));
  return file;
}

/** The list of the sweep's trials. */
export function trialsFile(runs: string): string {
  return join(new SweepStore(runs, sweepName).folder, "trials.jsonl");
}

/** Bytes of the last line; of a file without lines, half of it. */
function lengthOfEnd(file: string): number {
  const content = readFileSync(file);
  if (!/\.(jsonl|log)$/.test(file)) return Math.floor(content.length / 2);
  return content.length - 1 - content.lastIndexOf("\n", content.length - 2);
}
