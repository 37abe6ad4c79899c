import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { lastLines } from "../base/output-tail.ts";
import { pythonEnv } from "../base/python-env.ts";
import { CliprpnError } from "../contract/errors.ts";
import { atLeast, requiredPackages } from "./requirements.ts";
import { type ToolRun, tryTool } from "./run-tool.ts";

/** How to run an interpreter. */
export interface PythonRun extends ToolRun {
  /** Keeps PYTHONPATH, for an interpreter of the user. */
  keepPythonPath?: boolean;
  /** Further folders of modules, searched last. */
  extraModulePath?: readonly string[];
}

export interface Inspection {
  python: string;
  executable: string;
  devices: string[];
  packages: Record<string, { version: string | null; error: string | null }>;
}

/**
 * The version, devices and packages of an interpreter. All packages are imported: only then a torchvision that was built for
 * another torch fails.
 *
 * @throws CliprpnError python_unsuitable when the interpreter does not run.
 */
export async function inspectPython(
  python: string,
  run: PythonRun,
  wanted: Record<string, string> = requiredPackages,
): Promise<Inspection> {
  const text = await askPython(python, inspectionScript, Object.keys(wanted), run);
  return JSON.parse(text);
}

/** Everything that makes the interpreter unusable, as lines for the user; empty when it is usable. */
export function problemLines(
  inspection: Inspection,
  wanted: Record<string, string> = requiredPackages,
): string[] {
  const { python } = inspection;
  if (!atLeast(python, [3, 10])) return [`Python: expected >= 3.10, found ${python}`];
  const problems = packageProblems(inspection, wanted);
  if (problems.length === 0) return [];
  const lines = problems.map(({ module, reason }) => `${module}: ${reason}`);
  return [...lines, `to fix it: ${pipCommand(inspection, problems)}`];
}

/** A package that is missing, cannot be imported or is too old. */
export interface PackageProblem {
  module: string;
  requirement: string;
  reason: string;
  isMissing: boolean;
}

/** The packages that make an interpreter unusable. */
export function packageProblems(
  { packages }: Inspection,
  wanted: Record<string, string> = requiredPackages,
): PackageProblem[] {
  return Object.entries(wanted).flatMap(([module, requirement]) => {
    const { version, error } = packages[module] ?? { version: null, error: "not inspected" };
    if (error !== null)
      return [{ module, requirement, reason: error, isMissing: error.startsWith("ModuleNotFoundError") }];
    const isOld = module === "torch" && version !== null && !atLeast(version, [2, 11]);
    return isOld
      ? [{ module, requirement, reason: `expected >= 2.11, found ${version}`, isMissing: false }]
      : [];
  });
}

/** The command that installs what an interpreter lacks. */
export function pipCommand({ executable }: Inspection, problems: PackageProblem[]): string {
  const requirements = problems.map(({ requirement }) => `"${requirement}"`);
  return `${executable} -m pip install --upgrade ${requirements.join(" ")}`;
}

/**
 * Runs a script whose last line of output is a JSON object. @returns that line.
 *
 * @throws CliprpnError python_unsuitable: no such file, a folder, not a Python, crashed, too slow.
 */
export async function askPython(
  python: string,
  script: string,
  args: string[],
  { keepPythonPath: keepPath = false, extraModulePath = [], env, ...run }: PythonRun,
): Promise<string> {
  const command = python.includes("/") ? resolve(run.cwd ?? ".", python) : python;
  const pathProblem = command.includes("/") ? problemOfPath(command) : undefined;
  if (pathProblem !== undefined) throw unsuitable(command, pathProblem);
  const path = `sys.path += json.loads(${JSON.stringify(JSON.stringify(extraModulePath))})\n`;
  const result = await tryTool(command, ["-c", `${withoutCurrentFolder}${path}${script}`, ...args], {
    timeoutMs: 120_000,
    ...run,
    env: pythonEnv(env, { keepPath }),
  });
  const lastLine = result.stdout.trim().split("\n").at(-1) ?? "";
  if (result.exitCode === 0 && lastLine.startsWith("{")) return lastLine;
  const lines = lastLines(result.output);
  const details = lines === "" ? "" : `: ${lines}`;
  if (result.timedOut) throw unsuitable(command, `it did not respond in time${details}`);
  if (result.signal !== undefined) throw unsuitable(command, `it crashed (${result.signal})${details}`);
  if (result.exitCode === 127 && !command.includes("/"))
    throw unsuitable(command, "no such program on the PATH");
  throw unsuitable(command, `exit code ${result.exitCode}${details}`);
}

/** With -c Python imports from the current folder too, where a user's numbers.py would replace Python's own. */
const withoutCurrentFolder = "import json, sys; sys.path[:] = [path for path in sys.path if path]\n";

function problemOfPath(path: string): string | undefined {
  if (!existsSync(path)) return "no such file";
  if (!statSync(path).isDirectory()) return undefined;
  const inside = join(path, "bin/python");
  return `it is a folder${existsSync(inside) ? `; did you mean ${inside}?` : ""}`;
}

function unsuitable(python: string, reason: string): CliprpnError {
  return new CliprpnError("python_unsuitable", `${python}: not a usable Python interpreter: ${reason}`);
}

// Old versions of Python must be able to parse this, so that they can report their version.
const inspectionScript = `
import importlib, json, sys
packages = {}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
        packages[name] = {"version": str(getattr(module, "__version__", "")), "error": None}
    except Exception as error:
        lines = ("%s: %s" % (type(error).__name__, error)).splitlines()
        packages[name] = {"version": None, "error": lines[0]}
devices = ["cpu"]
if packages.get("torch", {}).get("version"):
    import torch
    if torch.backends.mps.is_available():
        devices.insert(0, "mps")
    devices = ["cuda:%d" % i for i in range(torch.cuda.device_count())] + devices
sys.stdout.write("\\n" + json.dumps({
    "python": "%d.%d.%d" % sys.version_info[:3],
    "executable": sys.executable,
    "devices": devices,
    "packages": packages,
}) + "\\n")
`;
