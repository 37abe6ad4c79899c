import { createInterface } from "node:readline";
import { execa } from "execa";
import { guardedCommand, killGroup } from "../base/process-group.ts";
import { CliprpnError } from "../contract/errors.ts";
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
  /** Both outputs, in the order they came. */
  output: string;
}

/**
 * Runs a set-up tool that has to succeed.
 *
 * @throws CliprpnError that says what the tool's failure means for the person; interrupted.
 */
export async function runTool(command: string, args: string[], run: ToolRun): Promise<ToolResult> {
  const result = await tryTool(command, args, run);
  if (result.exitCode === 0) return result;
  throw toolError([command, ...args.slice(0, 2)].join(" "), result.output || `signal ${result.signal}`);
}

/**
 * Runs a set-up tool in a process group of its own. On an abort, at a time-out and when this process dies, whichever way,
 * the whole group ends.
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
  const end = (): void => killGroup(child.pid);
  signal?.addEventListener("abort", end);
  let timedOut = false;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          end();
        }, timeoutMs);
  const result = await child;
  clearTimeout(timer);
  signal?.removeEventListener("abort", end);
  throwIfAborted(signal);
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
  throw new CliprpnError("interrupted", "interrupted; the same command goes on from here");
}
