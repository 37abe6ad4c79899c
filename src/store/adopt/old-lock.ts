import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * True if an earlier version of cliprpn is running a sweep of the old layout. Its lock is a folder whose modification time it
 * sets every two seconds; without that it counts for ten seconds. Waits that long if the owner may have just died.
 */
export async function isRunByOldVersion(sweep: string, signal?: AbortSignal): Promise<boolean> {
  const first = lockTime(sweep);
  if (first === undefined || !isFresh(first)) return false;
  const started = performance.now();
  while (performance.now() - started < staleMs) {
    await sleep(pollMs);
    signal?.throwIfAborted();
    const time = lockTime(sweep);
    if (time === undefined) return false;
    if (time !== first) return true;
  }
  return false;
}

/** Removes the lock of an owner that died. */
export function removeOldLock(sweep: string): void {
  rmSync(join(sweep, "lock"), { recursive: true, force: true });
}

/** True if the lock's owner may be alive, as far as one can tell at once. */
export function mayBeRunByOldVersion(sweep: string): boolean {
  const time = lockTime(sweep);
  return time !== undefined && isFresh(time);
}

const staleMs = 10_000;
const pollMs = 200;

function isFresh(time: number): boolean {
  return Date.now() - time < staleMs;
}

function lockTime(sweep: string): number | undefined {
  return statSync(join(sweep, "lock"), { throwIfNoEntry: false })?.mtimeMs;
}
