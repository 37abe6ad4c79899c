import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { formatBytes } from "./format.ts";

/**
 * Why the system may have killed a process, and what to do. A kernel that runs out of memory sends SIGKILL without a word;
 * so do clusters that enforce a job's limits.
 *
 * @param killsBefore `countMemoryKills` of the time when the process was started.
 */
export function describeSystemKill(killsBefore: number | undefined): string {
  const kills = countMemoryKills();
  const isKnown = kills !== undefined && killsBefore !== undefined && kills > killsBefore;
  const cause = isKnown
    ? "the kernel reports that memory ran out"
    : "the system ended it, most often because memory ran out or a limit of the cluster was reached";
  const free = `${formatBytes(process.availableMemory())} of ${formatBytes(memoryLimit())} of memory are free now`;
  return `${cause} (${free}): free some memory or ask for more, run fewer trials at the same time (--workers 1), or use smaller batches`;
}

/** Bytes of memory that this process may use: the machine's, or fewer in a container. */
function memoryLimit(): number {
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** How often the kernel has killed a process for lack of memory since the start of the machine; undefined where it does not say. */
export function countMemoryKills(): number | undefined {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined; // Not Linux.
  }
}
