import { spawnSync } from "node:child_process";
import { onTestFinished } from "vitest";
import { describeProcess, Mark, send } from "./marked.ts";

/** An environment variable that child processes inherit, and those of them that still run. */
export interface MarkedProcesses {
  env: Record<string, string>;
  /** Running processes with the variable, as `pid command line`. */
  running(): string[];
}

/** Makes a unique variable; processes that still have it at the end of the test are killed. Linux only. */
export function markProcesses(): MarkedProcesses {
  const mark = new Mark();
  onTestFinished(() => {
    for (const { pid } of mark.processes()) send(pid, "SIGKILL");
  });
  return { env: mark.env, running: () => mark.processes().map(describeProcess) };
}

/** Shorter than the limit of a test, so that the error says what was awaited. */
const limitMs = 240_000;

/** Polls until the condition holds. @throws if it does not within the limit. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not true within ${limitMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits until none of the processes runs. @throws with the command lines of those that still do. */
export async function untilNone({ running }: MarkedProcesses): Promise<void> {
  const end = Date.now() + limitMs;
  for (let left = running(); left.length > 0; left = running()) {
    if (Date.now() > end) throw new Error(`processes are still running:\n${left.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether the process exists; a zombie has ended. */
export function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}
