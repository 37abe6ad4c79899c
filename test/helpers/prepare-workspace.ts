import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type CommandResult, cliprpnWithPython } from "./cli.ts";

/** Runs the command line in a working folder. */
export type Run = (...args: string[]) => Promise<CommandResult>;

/** A new working folder of a test below the folder of its file, with which it shares the cache. */
export function workspaceIn(folder: string, cache: string): { cwd: string; run: Run } {
  const cwd = join(folder, `work-${readdirSync(folder).length}`);
  mkdirSync(cwd);
  return { cwd, run: (...args) => cliprpnWithPython(args, cwd, { CLIPRPN_CACHE: cache }) };
}
