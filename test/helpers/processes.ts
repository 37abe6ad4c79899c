import { readdirSync, readFileSync } from "node:fs";
import { onTestFinished } from "vitest";

/** A mark that child processes inherit in their environment, and how many of them still run. */
export interface Marked {
  env: Record<string, string>;
  /** Running processes that carry the mark, as `pid command line`. */
  running(): string[];
}

/** A mark of its own; whatever still carries it at the end of the test is killed. Linux only. */
export function markProcesses(): Marked {
  const mark = `CLIPRPN_TEST_MARK=${process.pid}-${Math.random().toString(36).slice(2)}`;
  const [name = "", value = ""] = mark.split("=");
  const pids = (): string[] => readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  const carriers = (): string[] =>
    pids().filter((pid) => read(pid, "environ").split("\0").includes(mark) && !isZombie(pid));
  onTestFinished(() => {
    for (const pid of carriers()) process.kill(Number(pid), "SIGKILL");
  });
  return {
    env: { [name]: value },
    running: () =>
      carriers().map((pid) => `${pid} ${read(pid, "cmdline").replaceAll("\0", " ").slice(0, 200)}`),
  };
}

/** Polls until the condition holds. @throws if it does not within the limit. */
export async function until(condition: () => boolean, limitMs = 120_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not after ${limitMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits until none of the processes runs. @throws with the command lines of those that still do. */
export async function untilNone({ running }: Marked, limitMs = 120_000): Promise<void> {
  const end = Date.now() + limitMs;
  for (let left = running(); left.length > 0; left = running()) {
    if (Date.now() > end) throw new Error(`processes are left:\n${left.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function isZombie(pid: string): boolean {
  return /^State:\s+Z/m.test(read(pid, "status"));
}

function read(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // It has ended meanwhile.
  }
}
