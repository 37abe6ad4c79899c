import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "../base/format.ts";
import { makeCache, withCacheLock } from "./cache.ts";
import {
  type EnvironmentFolder,
  type EnvironmentSpec,
  findReady,
  folderFor,
  folderPrefix,
  markReady,
} from "./environment-folder.ts";
import { type FoundPython, findPython, findUv } from "./find-tools.ts";
import { inspectPython, problemLines } from "./inspect-python.ts";
import {
  brokenPackages,
  environmentSizes,
  type InstallContext,
  type Installer,
  installPackages,
} from "./install-packages.ts";
import { torchPins, withoutTorch } from "./locked-packages.ts";
import { runTool, toolRun } from "./run-tool.ts";
import { hasNvidiaGpu } from "./torch-choice.ts";

/** Builds an environment once: a second process waits for the first, and the rest of an interrupted build is removed. */
export async function buildEnvironment(
  spec: EnvironmentSpec,
  { env, terminal, signal }: InstallContext,
): Promise<EnvironmentFolder> {
  const { cache } = spec;
  await makeCache(cache);
  return withCacheLock(folderPrefix(spec), signal, terminal, async (lockSignal) => {
    const ready = findReady(spec);
    if (ready !== undefined) return ready;
    const run = toolRun(env, cache, lockSignal);
    const python = await findPython(run);
    const uv = await findUv(cache, python.path, run, terminal);
    return build(spec, python, { uv, run, terminal });
  });
}

async function build(
  spec: EnvironmentSpec,
  python: FoundPython,
  installer: Installer,
): Promise<EnvironmentFolder> {
  const { uv, run } = installer;
  const { cache, torchBackend } = spec;
  const environment = folderFor(spec, python.version);
  const { folder } = environment;
  await rm(folder, { recursive: true, force: true });
  await runTool(uv, ["venv", "--quiet", "--python", python.path, folder], run);
  await installPackages(
    {
      packages: "torch, open_clip, ...",
      folder,
      cache,
      sizes: environmentSizes(torchBackend),
      commands: syncCommands(await syncPlan(spec, environment)),
      advice: adviceWithoutGpu(torchBackend),
    },
    installer,
    async () => {
      const problems = problemLines(await inspectPython(environment.python, run));
      if (problems.length > 0) throw brokenPackages(folder, problems);
      markReady(environment);
    },
  );
  return environment;
}

/** The packages that `syncCommands` installs, and the environment to install them into. */
export interface SyncPlan {
  python: string;
  /** The text of the lock. */
  lock: string;
  /** The file that uv reads: the lock or, with a torchBackend, the lock without torch. */
  lockFile: string;
  torchBackend: string | undefined;
}

/**
 * uv's commands, in order, after which an environment has the lock's packages.
 *
 * The lock has no hashes for other builds of torch, which also bring their own CUDA packages: torch is installed from uv's
 * index for that backend, at the lock's version, while all other packages are verified against the lock's hashes.
 */
export function syncCommands({ python, lock, lockFile, torchBackend }: SyncPlan): string[][] {
  const sync = ["pip", "sync", "--python", python, "--compile-bytecode", "--require-hashes", lockFile];
  if (torchBackend === undefined) return [sync];
  const backend = ["--torch-backend", torchBackend];
  return [sync, ["pip", "install", "--python", python, "--compile-bytecode", ...backend, ...torchPins(lock)]];
}

async function syncPlan(
  { lockFile, torchBackend }: EnvironmentSpec,
  { folder, python }: EnvironmentFolder,
): Promise<SyncPlan> {
  const lock = readFileSync(lockFile, "utf8");
  if (torchBackend === undefined) return { python, lock, lockFile, torchBackend };
  const withoutTorchFile = join(folder, "without-torch.txt");
  await writeFile(withoutTorchFile, withoutTorch(lock));
  return { python, lock, lockFile: withoutTorchFile, torchBackend };
}

function adviceWithoutGpu(torchBackend: string | undefined): string | undefined {
  if (torchBackend !== undefined || process.platform !== "linux" || hasNvidiaGpu()) return undefined;
  return `No NVIDIA GPU found: \`cliprpn setup --torch-backend cpu\` downloads only about ${formatBytes(environmentSizes("cpu").download_bytes)}.`;
}
