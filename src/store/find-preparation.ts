import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { SweepStore, sweepsFolder } from "./sweep-store.ts";

/**
 * What a sweep prepared before its trials, by its folder or as SWEEP/prepare: the newest attempt, or the one that is named, as in
 * SWEEP/prepare/2. Undefined if the name means something else.
 */
export function findPreparation(
  name: string,
  { runsDir, cwd }: { runsDir: string; cwd: string },
): { sweep: SweepStore; attempt: number } | undefined {
  for (const path of [resolve(cwd, name), join(sweepsFolder(runsDir), name)]) {
    const number = /^[1-9]\d*$/.test(basename(path)) ? Number(basename(path)) : undefined;
    const folder = number === undefined ? path : dirname(path);
    const sweepFolder = dirname(folder);
    const sweep = new SweepStore(dirname(dirname(sweepFolder)), basename(sweepFolder));
    if (folder !== sweep.preparations.folder || !existsSync(path)) continue;
    const attempt = number ?? sweep.preparations.numbers().at(-1);
    if (attempt !== undefined) return { sweep, attempt };
  }
  return undefined;
}
