import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { homeFolder } from "../base/home-folder.ts";
import { guardedCommand, killGroup } from "../base/process-group.ts";
import { pythonEnv } from "../base/python-env.ts";
import { CliprpnError } from "../contract/errors.ts";
import { isWritable } from "./cache-folders.ts";
import { toolError } from "./tool-error.ts";

export interface ToolRun {
  env: NodeJS.ProcessEnv;
  cwd?: string;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  onLine?: (line: string) => void;
}

export interface ToolResult {
  /** 127 when there is no such program; undefined when a signal ended it. */
  exitCode: number | undefined;
  signal: string | undefined;
  timedOut: boolean;
  stdout: string;
  /** Standard output and error, interleaved. */
  output: string;
}

/**
 * Runs a tool that has to succeed.
 *
 * @throws CliprpnError that explains the tool's failure; interrupted.
 */
export async function runTool(command: string, args: string[], run: ToolRun): Promise<ToolResult> {
  const result = await tryTool(command, args, run);
  if (result.exitCode === 0) return result;
  throw toolError([command, ...args.slice(0, 2)].join(" "), result.output || `signal ${result.signal}`);
}

/**
 * Runs a tool in a new process group, which is killed on an abort, at the timeout, and when this process ends.
 *
 * @throws CliprpnError interrupted, or the reason of the abort.
 */
export async function tryTool(command: string, args: string[], run: ToolRun): Promise<ToolResult> {
  const { env, cwd, signal, timeoutMs, onLine } = run;
  throwIfAborted(signal);
  const child = execa(...guardedCommand(command, args), {
    env,
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
    cleanup: false,
    reject: false,
    stdin: "pipe",
    all: true,
  });
  if (onLine) createInterface({ input: child.all }).on("line", (line) => line.trim() && onLine(line.trim()));
  const kill = (): void => killGroup(child.pid);
  signal?.addEventListener("abort", kill);
  let timedOut = false;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          kill();
        }, timeoutMs);
  const result = await child;
  clearTimeout(timer);
  signal?.removeEventListener("abort", kill);
  if (result.signal !== undefined) throwIfAborted(signal); // A tool that failed by itself has its own error.
  return {
    exitCode: result.exitCode,
    signal: result.signal,
    timedOut,
    stdout: result.stdout ?? "",
    output: result.all ?? result.shortMessage ?? "",
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (signal.reason instanceof CliprpnError) throw signal.reason;
  throw new CliprpnError("interrupted", "interrupted; re-run the same command to resume");
}

/** Options for tools that install packages: they run in the cache folder, so that no uv.toml or pyproject.toml of the current folder applies. */
export function toolRun(env: NodeJS.ProcessEnv, cache: string, signal: AbortSignal): ToolRun {
  return { env: { ...uvCache(env, cache), ...toolEnv(env) }, cwd: cache, signal };
}

/** The user's settings for uv and pip apply, except those that contradict the lock or install into another folder. */
function toolEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { UV_TORCH_BACKEND, UV_REQUIRE_HASHES, UV_SYSTEM_PYTHON, PIP_TARGET, PIP_PREFIX, ...rest } = env;
  return { ...pythonEnv(rest), UV_PYTHON_DOWNLOADS: "never" };
}

/** uv's own cache lies in the home folder, which may not be writable. */
function uvCache(env: NodeJS.ProcessEnv, cache: string): NodeJS.ProcessEnv {
  const home = homeFolder(env);
  const folder = env.XDG_CACHE_HOME ?? (home === undefined ? undefined : join(home, ".cache"));
  return folder !== undefined && isWritable(join(folder, "uv"))
    ? {}
    : { UV_CACHE_DIR: join(cache, "uv-cache") };
}
