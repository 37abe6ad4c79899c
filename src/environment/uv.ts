import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Waiting, withCacheLock } from "./cache-lock.ts";
import { runTool, type ToolRun, tryTool } from "./run-tool.ts";
import { atLeast } from "./version.ts";

/** The first that has `--torch-backend`. */
const oldest = [0, 6, 9] as const;

/** uv from the PATH, otherwise one of our own, fetched once into the cache. @returns how to call it. */
export async function findUv(
  cache: string,
  python: string,
  run: ToolRun,
  tell: (line: string) => void,
  waiting: Waiting,
): Promise<string> {
  const known = await uvOnPath(run);
  if (known !== undefined && atLeast(known, oldest)) return "uv";
  const folder = join(cache, "uv");
  const uv = join(folder, "bin/uv");
  if (existsSync(uv)) return uv;
  return withCacheLock(folder, waiting, async (signal) => {
    if (existsSync(uv)) return uv;
    tell(
      `uv ${known === undefined ? "is not on the PATH" : `${known} is too old`}: fetching one (about 20 MB).`,
    );
    await bootstrap(folder, python, { ...run, signal });
    return uv;
  });
}

/** The version of the uv on the PATH; undefined when there is none that runs. */
export async function uvOnPath(run: ToolRun): Promise<string | undefined> {
  const { exitCode, stdout } = await tryTool("uv", ["--version"], { ...run, timeoutMs: 10_000 });
  return exitCode === 0 ? /^uv (\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined;
}

/** uv is a program of its own, so its folder can be made elsewhere and take its name when it is whole. */
async function bootstrap(folder: string, python: string, run: ToolRun): Promise<void> {
  const staging = `${folder}-making`;
  await rm(staging, { recursive: true, force: true });
  await runTool(python, ["-m", "venv", staging], run);
  const env = { ...run.env, PIP_USER: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  await runTool(join(staging, "bin/python"), ["-m", "pip", "install", "--quiet", "uv"], { ...run, env });
  await rm(folder, { recursive: true, force: true });
  await rename(staging, folder);
}
