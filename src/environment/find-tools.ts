import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { lastLines } from "../base/output-tail.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { withCacheLock } from "./cache.ts";
import { atLeast } from "./requirements.ts";
import { runTool, type ToolResult, type ToolRun, tryTool } from "./run-tool.ts";

export interface FoundPython {
  path: string;
  version: string;
}

/**
 * The first Python on the PATH for which the lock's torch has a build: 3.10 to 3.14.
 *
 * @throws CliprpnError python_unsuitable, listing the versions that were found.
 */
export async function findPython(run: ToolRun): Promise<FoundPython> {
  const unsuitable: string[] = [];
  for (const name of pythonNames) {
    const result = await tryTool(name, ["-c", versionScript], { timeoutMs: startLimitMs, ...run });
    if (result.exitCode === programMissing) continue;
    const [path, version] = result.stdout.split("\n");
    if (result.exitCode !== 0 || !path || version === undefined) {
      unsuitable.push(`${name} (${failureOf(result)})`);
      continue;
    }
    if (atLeast(version, [3, 10]) && !atLeast(version, [3, 15])) return { path, version };
    unsuitable.push(`${name} ${version}`);
  }
  const found = unsuitable.length === 0 ? "none" : unsuitable.join(", ");
  throw new CliprpnError(
    "python_unsuitable",
    `expected Python 3.10 to 3.14 on the PATH, found ${found}; install one (apt install python3 python3-venv, brew install python@3.12), or use an interpreter that has torch: --python PATH`,
  );
}

/** Exit code of sh for a program that does not exist. */
const programMissing = 127;

/** Python or uv on a slow network disk take seconds to start. */
const startLimitMs = 30_000;

/** Why a tool that exists gave no answer. */
function failureOf({ exitCode, signal, timedOut, output }: ToolResult): string {
  if (timedOut) return "no answer in time";
  const reason = signal ?? `exit code ${exitCode}`;
  const lines = lastLines(output);
  return lines === "" ? reason : `${reason}: ${lines}`;
}

const pythonNames = [
  "python3",
  "python3.14",
  "python3.13",
  "python3.12",
  "python3.11",
  "python3.10",
  "python",
];
const versionScript = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";

/** uv from the PATH; otherwise one that is downloaded into the cache on first use. @returns the command to call it. */
export async function findUv(
  cache: string,
  python: string,
  run: ToolRun,
  terminal: Terminal,
): Promise<string> {
  const onPath = await askUv(run);
  if ("version" in onPath && atLeast(onPath.version, oldestUv)) return "uv";
  const folder = join(cache, "uv");
  const uv = join(folder, "bin/uv");
  if (existsSync(uv)) return uv;
  return withCacheLock(folder, run.signal, terminal, async (signal) => {
    if (existsSync(uv)) return uv;
    terminal.info(
      `uv ${"version" in onPath ? `${onPath.version} is too old` : onPath.problem}: downloading it (about 20 MB).`,
    );
    await downloadUv(folder, python, { ...run, signal });
    return uv;
  });
}

/** The first version that has `--torch-backend`. */
const oldestUv = [0, 6, 9] as const;

/** The version of the uv on the PATH, or why there is none: "is not on the PATH". */
export async function askUv(run: ToolRun): Promise<{ version: string } | { problem: string }> {
  const result = await tryTool("uv", ["--version"], { timeoutMs: startLimitMs, ...run });
  if (result.exitCode === programMissing) return { problem: "is not on the PATH" };
  const version = result.exitCode === 0 ? /^uv (\d+\.\d+\.\d+)/.exec(result.stdout)?.[1] : undefined;
  return version === undefined ? { problem: `does not run (${failureOf(result)})` } : { version };
}

/** Installs uv in a temporary folder, which is then renamed; the uv binary can be moved. */
async function downloadUv(folder: string, python: string, run: ToolRun): Promise<void> {
  const staging = `${folder}-making`;
  await rm(staging, { recursive: true, force: true });
  await runTool(python, ["-m", "venv", staging], run);
  const env = { ...run.env, PIP_USER: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  await runTool(join(staging, "bin/python"), ["-m", "pip", "install", "--quiet", "uv"], { ...run, env });
  await rm(folder, { recursive: true, force: true });
  await rename(staging, folder);
}
