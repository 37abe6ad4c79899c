import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { packageRoot } from "../../src/package-root.ts";
import type { DiskChange } from "./disk-changes.ts";
import type { Ask } from "./made-sweep.ts";

/** Where a run is killed: before its n-th change of the disk, or in the middle of it. */
export interface Kill {
  at: number;
  mode: "before" | "half";
}

/** A change that a run made: see `DiskChange`. */
export type MadeChange = Pick<DiskChange, "name" | "isSync"> & { hasHalf: boolean };

/** Bundles sweep-and-die.ts with its stand-ins, so that it starts in 0.1 s. @returns the script. */
export async function bundleSweepAndDie(folder: string): Promise<string> {
  const outfile = join(folder, "sweep-and-die.mjs");
  const standIns = join(packageRoot, "test/helpers/sweep-stand-ins.ts");
  await build({
    absWorkingDir: packageRoot,
    entryPoints: ["test/helpers/sweep-and-die.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["sharp"],
    // Modules find the package's files from here, and packages in CommonJS the built-in modules.
    define: { "import.meta.url": JSON.stringify(pathToFileURL(join(packageRoot, "dist/cli.js")).href) },
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
    plugins: [
      {
        name: "stand-ins",
        setup: ({ onResolve }) => onResolve({ filter: slowModules }, () => ({ path: standIns })),
      },
    ],
    logLevel: "warning",
  });
  return outfile;
}

const slowModules = /\/(sweep\/open-engine|open-engine|prepare-trials|draw-charts|check)\.ts$/;

/** Runs a sweep in a process of its own. @returns its changes if it ended by itself; undefined if it killed itself. */
export function runAndDie(
  script: string,
  work: string,
  ask: Ask,
  { at, mode }: Kill,
): Promise<MadeChange[] | undefined> {
  return new Promise((resolve, reject) => {
    const args = [script, work, JSON.stringify(ask), String(at), mode];
    execFile(process.execPath, args, { maxBuffer: 1e8 }, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout));
      else if (error.signal === "SIGKILL") resolve(undefined);
      else reject(error);
    });
  });
}

/** The kills that leave different files: nothing changes between a sync and the next change. */
export function killsOf(changes: readonly MadeChange[]): Kill[] {
  return changes.flatMap(({ hasHalf }, index): Kill[] => {
    const before: Kill[] = changes[index - 1]?.isSync === true ? [] : [{ at: index + 1, mode: "before" }];
    return hasHalf ? [...before, { at: index + 1, mode: "half" }] : before;
  });
}
