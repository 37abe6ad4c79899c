import { CliprpnError } from "../contract/errors.ts";
import { type ToolRun, tryTool } from "./run-tool.ts";
import { atLeast } from "./version.ts";

export interface FoundPython {
  path: string;
  version: string;
}

const names = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
const script = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";

/**
 * The first Python on the PATH for which the lock's torch is built: 3.10 to 3.14.
 *
 * @throws CliprpnError python_unsuitable, naming what was found instead.
 */
export async function findPython(run: ToolRun): Promise<FoundPython> {
  const found: string[] = [];
  for (const name of names) {
    const { exitCode, stdout } = await tryTool(name, ["-c", script], { ...run, timeoutMs: 10_000 });
    const [path, version] = stdout.split("\n");
    if (exitCode !== 0 || !path || version === undefined) continue;
    if (atLeast(version, [3, 10]) && !atLeast(version, [3, 15])) return { path, version };
    found.push(`${name} ${version}`);
  }
  const what = found.length === 0 ? "none" : found.join(", ");
  throw new CliprpnError(
    "python_unsuitable",
    `expected Python 3.10 to 3.14 on the PATH, found ${what}; install one (apt install python3 python3-venv, brew install python@3.12), or give an interpreter that has torch: --python PATH`,
  );
}
