import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { runTool, type ToolRun } from "./run-tool.ts";

/** uv from the PATH, otherwise one of our own, fetched once into the cache. */
export async function findUv(cache: string, python: string, run: ToolRun): Promise<string> {
  const { exitCode } = await execa("uv", ["--version"], { env: { ...run.env }, reject: false });
  if (exitCode === 0) return "uv";
  const folder = join(cache, "uv");
  const uv = join(folder, "bin/uv");
  if (existsSync(join(folder, "ready"))) return uv;
  run.onLine?.("uv is not on the PATH: fetching it (about 25 MB)");
  const staging = `${folder}.making`;
  await rm(staging, { recursive: true, force: true });
  await runTool(python, ["-m", "venv", staging], run);
  await runTool(
    join(staging, "bin/python"),
    ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"],
    run,
  );
  await rm(folder, { recursive: true, force: true });
  await rename(staging, folder); // uv is a program of its own: it does not mind where it lies.
  await runTool("touch", [join(folder, "ready")], run);
  return uv;
}

/** What uv is told, so that `folder` holds the lock's packages. */
export function installCommand(environment: {
  python: string;
  lockFile: string;
  torchBackend: string | undefined;
}): string[] {
  const { python, lockFile, torchBackend } = environment;
  if (torchBackend === undefined) return ["pip", "sync", "--python", python, "--require-hashes", lockFile];
  // Another backend's wheels have other hashes; the lock still fixes the versions.
  const wanted = lockFile.replace(/\.txt$/, ".in");
  return [
    "pip",
    "install",
    "--python",
    python,
    "--torch-backend",
    torchBackend,
    "--no-verify-hashes",
    "-c",
    lockFile,
    "-r",
    wanted,
  ];
}
