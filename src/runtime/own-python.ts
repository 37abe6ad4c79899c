import { execa } from "execa";
import { CliprpnError } from "../contract/errors.ts";
import { atLeast } from "./find-python.ts";

/** What an interpreter must have: the module to import and the package that brings it. */
const needed: Record<string, string> = {
  torch: "torch>=2.11",
  torchvision: "torchvision",
  open_clip: "open_clip_torch",
  pydantic: "pydantic>=2",
  pyarrow: "pyarrow",
  safetensors: "safetensors",
  scipy: "scipy",
  tensorboard: "tensorboard",
  PIL: "pillow",
};

// Really imports: a torchvision beside a torch of another build breaks only then.
const script = `
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
        found[name] = {"version": str(getattr(module, "__version__", "")), "error": None}
    except Exception as error:
        found[name] = {"version": None, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
devices = ["cpu"]
if found.get("torch", {}).get("version"):
    import torch
    devices = [f"cuda:{i}" for i in range(torch.cuda.device_count())] + (["mps"] if torch.backends.mps.is_available() else []) + devices
print(json.dumps({"devices": devices, "python": ".".join(map(str, sys.version_info[:3])), "executable": sys.executable, "packages": found}))
`;

export interface Inspection {
  python: string;
  executable: string;
  devices: string[];
  packages: Record<string, { version: string | null; error: string | null }>;
}

/**
 * What an interpreter has.
 *
 * @throws CliprpnError python_unsuitable when it does not run.
 */
export async function inspectPython(python: string, env: NodeJS.ProcessEnv): Promise<Inspection> {
  const result = await execa(python, ["-c", script, ...Object.keys(needed)], {
    env,
    reject: false,
    timeout: 120_000,
  });
  const last = result.stdout?.trim().split("\n").at(-1) ?? "";
  if (result.exitCode !== 0 || !last.startsWith("{")) {
    const why =
      result.code === "ENOENT"
        ? "there is no such file"
        : (result.stderr?.trim().split("\n").at(-1) ?? result.shortMessage);
    throw new CliprpnError("python_unsuitable", `${python}: expected a Python interpreter: ${why}`);
  }
  return JSON.parse(last);
}

/** Everything that keeps the interpreter from being used, as lines for a person; empty when it can be. */
export function shortcomings({ python, packages }: Inspection): string[] {
  const lines: string[] = [];
  if (!atLeast(python, [3, 10])) lines.push(`Python: expected >= 3.10, found ${python}`);
  for (const [module, requirement] of Object.entries(needed)) {
    const { version, error } = packages[module] ?? { version: null, error: "not looked for" };
    if (error !== null) lines.push(`${module}: ${error}; install "${requirement}"`);
    else if (module === "torch" && version !== null && !atLeast(version, [2, 11]))
      lines.push(`torch: expected >= 2.11, found ${version}`);
  }
  return lines;
}
