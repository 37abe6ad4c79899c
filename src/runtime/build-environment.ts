import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { announce } from "./announce.ts";
import { makeCache } from "./cache-folder.ts";
import { withCacheLock } from "./cache-lock.ts";
import { follow, notStarted, tell } from "./download-progress.ts";
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
import { runTool, type ToolRun } from "./run-tool.ts";
import { syncCommands } from "./sync-commands.ts";
import { withoutTorch } from "./torch-lock.ts";
import { findUv } from "./uv.ts";

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  terminal: Terminal;
  signal?: AbortSignal | undefined;
}

/** Builds an environment, once: a second run waits for the first, and what an interrupted one left is cleared away. */
export async function buildEnvironment(
  definition: Definition,
  { env, terminal, signal }: Surroundings,
): Promise<Environment> {
  const { cache } = definition;
  await makeCache(cache);
  // A uv.toml or pyproject.toml where the person happens to be has no say: uv runs in the cache.
  const quiet = { env: toolEnv(env), cwd: cache };
  const onWait = (): void =>
    terminal.info(
      "Another cliprpn is setting up Python packages (or was, until a moment ago); waiting for it.",
    );
  return withCacheLock(folderStem(definition), { signal, onWait }, async (held) => {
    const ready = findReady(definition);
    if (ready !== undefined) return ready;
    const run = { ...quiet, signal: held };
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
  await announce(definition, environment, uv, commands, run, terminal);
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

/** Shows uv's progress and the time, also while uv says nothing. */
async function showing(
  terminal: Terminal,
  started: number,
  work: (onLine: (line: string) => void) => Promise<unknown>,
): Promise<void> {
  let progress = notStarted;
  const show = (): void => terminal.live([`  ${tell(progress)} (${seconds(started)} s)`]);
  const timer = setInterval(show, 1000);
  try {
    await work((line) => {
      progress = follow(progress, line);
      show();
    });
  } finally {
    clearInterval(timer);
    terminal.liveDone();
  }
}

/** The person's settings for uv and pip count, but for those that would contradict the lock. */
function toolEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { UV_TORCH_BACKEND, UV_REQUIRE_HASHES, UV_SYSTEM_PYTHON, VIRTUAL_ENV, PYTHONHOME, ...rest } = env;
  return { ...rest, UV_PYTHON_DOWNLOADS: "never" };
}

function broken(folder: string, lines: string[]): CliprpnError {
  const text = lines.map((line) => `  ${line}`).join("\n");
  return new CliprpnError(
    "environment_broken",
    `the Python packages in ${folder} were installed, but do not work here:\n${text}`,
  );
}

function seconds(started: number): number {
  return Math.round((Date.now() - started) / 1000);
}
