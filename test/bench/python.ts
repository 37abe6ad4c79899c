import { join } from "node:path";
import { execa } from "execa";
import { packageRoot } from "../../src/package-root.ts";

/**
 * Runs a module of `test/bench` and parses the JSON that it prints. The caller gives the type of that output.
 */
export async function runPython<Output>(python: string, module: string, args: string[]): Promise<Output> {
  const { stdout } = await execa(python, ["-m", `bench.${module}`, ...args], {
    env: { PYTHONPATH: ["python", "test", "test/python"].map((path) => join(packageRoot, path)).join(":") },
    stderr: "inherit",
  });
  return JSON.parse(stdout);
}
