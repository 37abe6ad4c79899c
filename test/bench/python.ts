import { join } from "node:path";
import { execa } from "execa";
import { packageRoot } from "../../src/base/package-root.ts";

/** Runs a module of `test/bench` and reads the JSON that it prints. The caller knows the module's answer. */
export async function runPython<Answer>(python: string, module: string, args: string[]): Promise<Answer> {
  const { stdout } = await execa(python, ["-m", `bench.${module}`, ...args], {
    env: { PYTHONPATH: `${join(packageRoot, "python")}:${join(packageRoot, "test")}` },
    stderr: "inherit",
  });
  return JSON.parse(stdout);
}
