import { execa } from "execa";
import { CliprpnError } from "../contract/errors.ts";

export interface ToolRun {
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  onLine?: (line: string) => void;
}

/**
 * Runs a set-up tool in a process group of its own; on an abort the whole group ends.
 *
 * @returns its standard output.
 * @throws CliprpnError that says what the tool's failure means for the person.
 */
export async function runTool(
  command: string,
  args: string[],
  { env, signal, onLine }: ToolRun = {},
): Promise<string> {
  const child = execa(command, args, {
    env: { ...env },
    detached: true,
    cleanup: false,
    reject: false,
    stdin: "ignore",
    all: true,
  });
  const end = (): void => endGroup(child.pid);
  signal?.addEventListener("abort", end);
  process.once("exit", end);
  child.all.on("data", (data: Buffer) => {
    for (const line of data.toString().split(/[\r\n]+/)) if (line.trim() !== "") onLine?.(line.trim());
  });
  const result = await child;
  signal?.removeEventListener("abort", end);
  process.removeListener("exit", end);
  if (signal?.aborted)
    throw new CliprpnError("interrupted", "interrupted; the same command goes on where this one stopped");
  if (result.exitCode !== 0)
    throw toolError(`${command} ${args.slice(0, 2).join(" ")}`, result.all || result.shortMessage || "");
  return result.stdout;
}

/** What a tool's last words mean, in ours. */
export function toolError(tool: string, output: string): CliprpnError {
  const tail = output.trim().split("\n").slice(-6).join("\n  ");
  if (/no space left|ENOSPC|disk quota/i.test(output)) {
    return new CliprpnError(
      "no_space",
      `the disk is full: make room, or set CLIPRPN_CACHE to a folder on another disk\n  ${tail}`,
    );
  }
  if (/ensurepip|No module named '?venv|python3-venv/i.test(output)) {
    return new CliprpnError(
      "environment_broken",
      `this Python has no venv module; on Debian and Ubuntu: apt install python3-venv\n  ${tail}`,
    );
  }
  if (
    /dns error|error sending request|failed to fetch|connection (refused|reset|timed out)|temporary failure in name|network is unreachable|no matching distribution|offline|could not connect|tcp connect error/i.test(
      output,
    )
  ) {
    return new CliprpnError(
      "no_network",
      `the packages could not be fetched: check the network or proxy (HTTPS_PROXY) and run the command again, or bring your own interpreter with --python PATH\n  ${tail}`,
    );
  }
  if (/permission denied|read-only file system/i.test(output)) {
    return new CliprpnError(
      "environment_broken",
      `the cache cannot be written: set CLIPRPN_CACHE to a folder of yours\n  ${tail}`,
    );
  }
  return new CliprpnError("environment_broken", `${tool} failed; run \`cliprpn doctor\`\n  ${tail}`);
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
