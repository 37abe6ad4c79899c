import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { onTestFinished } from "vitest";

/** An environment variable that child processes inherit, and those of them that still run. */
export interface MarkedProcesses {
  env: Record<string, string>;
  /** Running processes with the variable, as `pid command line`. */
  running(): string[];
}

/** Makes a unique variable; processes that still have it at the end of the test are killed. Linux only. */
export function markProcesses(): MarkedProcesses {
  const mark = `CLIPRPN_TEST_MARK=${process.pid}-${Math.random().toString(36).slice(2)}`;
  const [name = "", value = ""] = mark.split("=");
  const pids = (): string[] => readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  const marked = (): string[] =>
    pids().filter((pid) => read(pid, "environ").split("\0").includes(mark) && !isZombie(pid));
  onTestFinished(() => {
    for (const pid of marked()) process.kill(Number(pid), "SIGKILL");
  });
  return {
    env: { [name]: value },
    running: () =>
      marked().map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ").slice(0, 200)}`),
  };
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

function isZombie(pid: string): boolean {
  return /^State:\s+Z/m.test(read(pid, "status"));
}

function read(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // The process has exited.
  }
}
