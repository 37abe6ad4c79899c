import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { packageRoot } from "../../src/package-root.ts";

/** A process that runs trials: see run-controller.ts. */
export interface RunningController {
  process: ChildProcess;
  /** What it has printed. */
  lines: string[];
  exited: Promise<void>;
}

/** Starts a script that runs trials, by its name in the package. It is killed at the end of the test. */
export function startController(
  script: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): RunningController {
  const command = ["--import", import.meta.resolve("tsx"), join(packageRoot, script), ...args];
  const child = spawn(process.execPath, command, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  const exited = new Promise<void>((resolve) => void child.on("close", () => resolve()));
  return { process: child, lines, exited };
}
