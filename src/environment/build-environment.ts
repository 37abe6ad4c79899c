import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { makeCache } from "./cache-folder.ts";
import { withCacheLock } from "./cache-lock.ts";
import {
  type Definition,
  type Environment,
  environmentFor,
  findReady,
  folderStem,
  markReady,
} from "./environment.ts";
import { type FoundPython, findPython } from "./find-python.ts";
import { inspectPython, shortcomings } from "./inspect-python.ts";
import { announce, environmentSizes } from "./install-packages.ts";
import { seesNvidiaGpu } from "./nvidia-gpu.ts";
import { runTool, type ToolRun } from "./run-tool.ts";
import { seconds, showing } from "./show-progress.ts";
import { type Surroundings, sayWaiting, toolRun } from "./surroundings.ts";
import { syncCommands } from "./sync-commands.ts";
import { withoutTorch } from "./torch-lock.ts";
import { findUv } from "./uv.ts";

/** Builds an environment, once: a second run waits for the first, and what an interrupted one left is cleared away. */
export async function buildEnvironment(
  definition: Definition,
  { env, terminal, signal }: Surroundings,
): Promise<Environment> {
  const { cache } = definition;
  await makeCache(cache);
  const onWait = sayWaiting(terminal);
  return withCacheLock(folderStem(definition), { signal, onWait }, async (held) => {
    const ready = findReady(definition);
    if (ready !== undefined) return ready;
    const run = { ...toolRun(env, cache), signal: held };
    const python = await findPython(run);
    const uv = await findUv(cache, python.path, run, terminal.info, { signal: held, onWait });
    return build(definition, python, uv, run, terminal);
  });
}

async function build(
  definition: Definition,
  python: FoundPython,
  uv: string,
  run: ToolRun,
  terminal: Terminal,
): Promise<Environment> {
  const started = Date.now();
  const environment = environmentFor(definition, python.version);
  const { folder } = environment;
  await rm(folder, { recursive: true, force: true });
  await runTool(uv, ["venv", "--quiet", "--python", python.path, folder], run);
  const commands = syncCommands(await syncPlan(definition, environment));
  const { cache, torchBackend } = definition;
  const installation = {
    packages: "torch, open_clip, ...",
    folder,
    cache,
    sizes: environmentSizes(torchBackend),
    command: commands[0] ?? [],
    moreFollows: torchBackend !== undefined,
    advice: adviceWithoutGpu(definition),
  };
  await announce(installation, uv, run, terminal);
  for (const command of commands)
    await showing(terminal, started, (onLine) => runTool(uv, command, { ...run, onLine }));
  const lines = shortcomings(await inspectPython(environment.python, run));
  if (lines.length > 0) throw broken(folder, lines);
  await markReady(environment);
  terminal.info(`Python packages are set up (${seconds(started)} s).`);
  return environment;
}

/** With torch from elsewhere, uv is given the lock without it. */
async function syncPlan(
  { lockFile, torchBackend }: Definition,
  { folder, python }: Environment,
): Promise<Parameters<typeof syncCommands>[0]> {
  const lock = readFileSync(lockFile, "utf8");
  if (torchBackend === undefined) return { python, lock, lockFile, torchBackend };
  const rest = join(folder, "without-torch.txt");
  await writeFile(rest, withoutTorch(lock));
  return { python, lock, lockFile: rest, torchBackend };
}

function adviceWithoutGpu({ torchBackend }: Definition): string | undefined {
  if (torchBackend !== undefined || process.platform !== "linux" || seesNvidiaGpu()) return undefined;
  return `No NVIDIA GPU found: \`cliprpn setup --torch-backend cpu\` downloads only about ${formatBytes(environmentSizes("cpu").download_bytes)}.`;
}

/** The error of packages that were installed and do not import. */
export function broken(folder: string, lines: string[]): CliprpnError {
  const text = lines.map((line) => `  ${line}`).join("\n");
  return new CliprpnError(
    "environment_broken",
    `the Python packages in ${folder} were installed, but do not work here:\n${text}`,
  );
}
