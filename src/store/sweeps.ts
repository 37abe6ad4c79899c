import { readdirSync } from "node:fs";
import { hasCode } from "../base/files.ts";
import { compareTexts } from "../base/format.ts";
import { SweepStore, sweepsFolder } from "./sweep-store.ts";

/** All sweeps in a runs folder, the one that was changed last first. */
export function sweepsIn(runsDir: string): SweepStore[] {
  return allSweeps(runsDir).filter((sweep) => sweep.exists);
}

/** The same, with sweeps that stopped before their experiment was written. */
export function allSweeps(runsDir: string): SweepStore[] {
  return sweepNames(runsDir)
    .map((name) => new SweepStore(runsDir, name))
    .map((sweep) => ({ sweep, changedAt: sweep.changedAt }))
    .sort((a, b) => b.changedAt - a.changedAt || compareTexts(a.sweep.name, b.sweep.name))
    .map(({ sweep }) => sweep);
}

export function sweepNames(runsDir: string): string[] {
  return foldersIn(sweepsFolder(runsDir));
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}
