import { mkdir, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import lockfile from "proper-lockfile";
import writeFileAtomic from "write-file-atomic";
import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type Environment, isReady, readyMarker, sizes } from "./environment.ts";
import { findPython } from "./find-python.ts";
import { runTool } from "./run-tool.ts";
import { findUv, installCommand } from "./uv.ts";

/** Builds the environment, once: a second run waits for the first, and what an interrupted one left is cleared away. */
export async function buildEnvironment(
  environment: Environment,
  cache: string,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<void> {
  const { folder, torchBackend } = environment;
  const python = await findPython(env);
  await makeFolder(dirname(folder));
  const release = await waitForLock(folder, terminal, signal);
  try {
    if (isReady(environment)) return;
    await rm(folder, { recursive: true, force: true });
    await checkSpace(dirname(folder), torchBackend);
    const { download_gb } = sizes(torchBackend);
    terminal.info(
      `Setting up Python packages (torch, open_clip, ...) in ${folder}: about ${download_gb} GB to fetch, once.`,
    );
    if (
      torchBackend === undefined &&
      process.platform === "linux" &&
      env.CUDA_VISIBLE_DEVICES === undefined
    ) {
      terminal.info("Without an NVIDIA GPU, `cliprpn setup --torch-backend cpu` needs a fraction of that.");
    }
    const started = Date.now();
    const showLine = (line: string): void =>
      terminal.live([`  ${line.slice(0, 100)} (${Math.round((Date.now() - started) / 1000)} s)`]);
    const run = {
      env: { ...env, UV_PYTHON_DOWNLOADS: "never", VIRTUAL_ENV: folder },
      signal,
      onLine: showLine,
    };
    const uv = await findUv(cache, python.path, run);
    await runTool(uv, ["venv", "--quiet", "--python", python.path, folder], run);
    await runTool(uv, installCommand(environment), run);
    await writeFileAtomic(
      readyMarker(environment),
      JSON.stringify({ python: python.version, key: environment.key }),
    );
    terminal.liveDone();
    terminal.info(`Python packages are set up (${Math.round((Date.now() - started) / 1000)} s).`);
  } finally {
    await release();
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new CliprpnError(
      "environment_broken",
      `${folder} cannot be made: set CLIPRPN_CACHE to a folder of yours`,
      { cause: error },
    );
  }
}

async function waitForLock(
  folder: string,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<() => Promise<void>> {
  for (let told = false; ; told = true) {
    try {
      return await lockfile.lock(folder, { realpath: false, stale: 15_000 });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ELOCKED")) throw error;
    }
    if (signal?.aborted) throw new CliprpnError("interrupted", "interrupted");
    if (!told) terminal.info("Another cliprpn is setting up the Python packages; waiting for it.");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function checkSpace(folder: string, torchBackend: string | undefined): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free_gb = (bavail * bsize) / 1e9;
  const { disk_gb, download_gb } = sizes(torchBackend);
  const needed = disk_gb + download_gb;
  if (free_gb < needed) {
    throw new CliprpnError(
      "no_space",
      `${folder}: the Python packages need about ${needed.toFixed(1)} GB, ${free_gb.toFixed(1)} GB are free; make room, or set CLIPRPN_CACHE to a folder on another disk`,
    );
  }
}
