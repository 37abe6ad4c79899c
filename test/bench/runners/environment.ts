import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheDir, withCacheLock } from "../../../src/environment/cache.ts";
import { findUv } from "../../../src/environment/find-tools.ts";
import { runTool, toolRun } from "../../../src/environment/run-tool.ts";
import type { Terminal } from "../../../src/terminal/terminal.ts";

/**
 * An environment with the tools to compare with, in the cache, built on first use. It has cliprpn's torch, so that all tools import the
 * same files; cliprpn's environment does not change.
 *
 * @param python of cliprpn's environment.
 * @returns its Python.
 */
export async function runnersPython(python: string, terminal: Terminal): Promise<string> {
  const lock = join(import.meta.dirname, "requirements.txt");
  const hash = createHash("sha256").update(readFileSync(lock)).update(python).digest("hex").slice(0, 16);
  const cache = cacheDir(process.env);
  const folder = join(cache, `bench-runners-${hash}`);
  const isReady = join(folder, "ready");
  await withCacheLock(folder, undefined, terminal, async (signal) => {
    if (existsSync(isReady)) return;
    terminal.info("installing Optuna, Ray, Hydra and submitit (about 0.5 GB)");
    await rm(folder, { recursive: true, force: true });
    const run = toolRun(process.env, cache, signal);
    const uv = await findUv(cache, python, run, terminal);
    await runTool(uv, ["venv", "--quiet", "--python", python, folder], run);
    const env = { ...run.env, VIRTUAL_ENV: folder };
    await runTool(uv, ["pip", "sync", "--quiet", "--require-hashes", lock], { ...run, env });
    const [ours, theirs] = await Promise.all([python, join(folder, "bin/python")].map(packagesFolder));
    writeFileSync(join(theirs ?? "", "torch-of-cliprpn.pth"), `${ours}\n`);
    writeFileSync(isReady, "");
  });
  return join(folder, "bin/python");
}

async function packagesFolder(python: string): Promise<string> {
  return (await execa(python, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])).stdout;
}
