import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { type ToolRun, tryTool } from "./run-tool.ts";
import { atLeast } from "./version.ts";

/** What an interpreter must have: the module to import and the package that brings it. */
export const needed: Record<string, string> = {
  torch: "torch>=2.11",
  torchvision: "torchvision",
  open_clip: "open_clip_torch>=3.3,<3.4",
  numpy: "numpy",
  PIL: "pillow",
  pyarrow: "pyarrow",
  pydantic: "pydantic>=2.11",
  safetensors: "safetensors",
  scipy: "scipy",
  tensorboard: "tensorboard",
};

export interface Inspection {
  python: string;
  executable: string;
  devices: string[];
  packages: Record<string, { version: string | null; error: string | null }>;
}

/**
 * What an interpreter has, by importing it all: a torchvision beside a torch of another build breaks only then.
 *
 * @throws CliprpnError python_unsuitable when it does not run.
 */
export async function inspectPython(
  python: string,
  run: ToolRun,
  wanted: Record<string, string> = needed,
): Promise<Inspection> {
  const text = await askPython(python, script, Object.keys(wanted), run);
  return JSON.parse(text);
}

/** A package that is not there, does not import or is too old. */
export interface Lack {
  module: string;
  requirement: string;
  why: string;
}

/** The packages that keep an interpreter from being used. */
export function lacks({ packages }: Inspection, wanted: Record<string, string> = needed): Lack[] {
  return Object.entries(wanted).flatMap(([module, requirement]) => {
    const { version, error } = packages[module] ?? { version: null, error: "not looked for" };
    if (error !== null) return [{ module, requirement, why: error }];
    const old = module === "torch" && version !== null && !atLeast(version, [2, 11]);
    return old ? [{ module, requirement, why: `expected >= 2.11, found ${version}` }] : [];
  });
}

/** The command that brings an interpreter what it lacks. */
export function pipCommand({ executable }: Inspection, lacking: Lack[]): string {
  return `${executable} -m pip install --upgrade ${lacking.map(({ requirement }) => `"${requirement}"`).join(" ")}`;
}

/** Everything that keeps the interpreter from being used, as lines for a person; empty when it can be. */
export function shortcomings(inspection: Inspection, wanted: Record<string, string> = needed): string[] {
  const { python } = inspection;
  if (!atLeast(python, [3, 10])) return [`Python: expected >= 3.10, found ${python}`];
  const lacking = lacks(inspection, wanted);
  if (lacking.length === 0) return [];
  const lines = lacking.map(({ module, why }) => `${module}: ${why}`);
  return [...lines, `to mend it: ${pipCommand(inspection, lacking)}`];
}

/** With -c Python imports from the folder in which it is started: a person's numbers.py would stand in for its own. */
const notFromHere = "import sys; sys.path[:] = [path for path in sys.path if path]\n";

/**
 * Runs a script that prints a line of JSON last. @returns that line.
 *
 * @throws CliprpnError python_unsuitable: no such file, a folder, not a Python, crashed, too slow.
 */
export async function askPython(
  python: string,
  source: string,
  args: string[],
  run: ToolRun,
): Promise<string> {
  const command = python.includes("/") ? resolve(run.cwd ?? ".", python) : python;
  const wrong = command.includes("/") ? notAProgram(command) : undefined;
  if (wrong !== undefined) throw unsuitable(command, wrong);
  const result = await tryTool(command, ["-c", `${notFromHere}${source}`, ...args], {
    timeoutMs: 120_000,
    ...run,
  });
  const last = result.stdout.trim().split("\n").at(-1) ?? "";
  if (result.exitCode === 0 && last.startsWith("{")) return last;
  if (result.timedOut) throw unsuitable(command, "it gave no answer within two minutes");
  if (result.signal !== undefined) throw unsuitable(command, `it crashed (${result.signal})`);
  if (result.exitCode === 127 && !command.includes("/"))
    throw unsuitable(command, "there is no such program on the PATH");
  throw unsuitable(command, result.output.trim().split("\n").at(-1) || `exit code ${result.exitCode}`);
}

function notAProgram(path: string): string | undefined {
  if (!existsSync(path)) return "there is no such file";
  if (!statSync(path).isDirectory()) return undefined;
  const inside = join(path, "bin/python");
  return `this is a folder${existsSync(inside) ? `; did you mean ${inside}?` : ""}`;
}

function unsuitable(python: string, why: string): CliprpnError {
  return new CliprpnError("python_unsuitable", `${python}: expected a Python interpreter: ${why}`);
}

// Also an old Python must be able to read this, to say that it is one.
const script = `
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
        found[name] = {"version": str(getattr(module, "__version__", "")), "error": None}
    except Exception as error:
        lines = ("%s: %s" % (type(error).__name__, error)).splitlines()
        found[name] = {"version": None, "error": lines[0]}
devices = ["cpu"]
if found.get("torch", {}).get("version"):
    import torch
    if torch.backends.mps.is_available():
        devices.insert(0, "mps")
    devices = ["cuda:%d" % i for i in range(torch.cuda.device_count())] + devices
sys.stdout.write("\\n" + json.dumps({
    "python": "%d.%d.%d" % sys.version_info[:3],
    "executable": sys.executable,
    "devices": devices,
    "packages": found,
}) + "\\n")
`;
