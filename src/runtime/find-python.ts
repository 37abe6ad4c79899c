import { execa } from "execa";
import { CliprpnError } from "../contract/errors.ts";

const names = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/**
 * The first Python >= 3.10 on the PATH.
 *
 * @throws CliprpnError python_unsuitable, naming what was found instead.
 */
export async function findPython(env: NodeJS.ProcessEnv): Promise<{ path: string; version: string }> {
  const found: string[] = [];
  for (const name of names) {
    const script = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";
    const { exitCode, stdout } = await execa(name, ["-c", script], { env, reject: false, timeout: 10_000 });
    const [path, version] = stdout?.split("\n") ?? [];
    if (exitCode !== 0 || path === undefined || version === undefined) continue;
    if (atLeast(version, [3, 10])) return { path, version };
    found.push(`${name} ${version}`);
  }
  const what = found.length === 0 ? "none on the PATH" : found.join(", ");
  throw new CliprpnError(
    "python_unsuitable",
    `expected Python >= 3.10, found ${what}; install one, or give it by --python PATH`,
  );
}

/** Whether "2.11.0+cu128" is at least [2, 11]. */
export function atLeast(version: string, wanted: number[]): boolean {
  const numbers = version.split(/[.+]/).map((part) => Number.parseInt(part, 10));
  for (const [index, minimum] of wanted.entries()) {
    const number = numbers[index] ?? 0;
    if (Number.isNaN(number) || number < minimum) return false;
    if (number > minimum) return true;
  }
  return true;
}
