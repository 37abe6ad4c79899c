import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { CliprpnError } from "../contract/errors.ts";
import { cacheProblem } from "./cache-folder.ts";

export interface Waiting {
  signal?: AbortSignal | undefined;
  /** Called once when somebody else has the lock. */
  onWait?: () => void;
}

/**
 * Does something that only one process at a time may do. A process that died holding the lock is waited for 10 s.
 *
 * @param work is given a signal that is aborted also when the lock is lost (a machine that slept).
 */
export async function withLock<T>(
  path: string,
  { signal, onWait }: Waiting,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const release = await acquire(path, lost, signal, onWait);
  try {
    return await work(AbortSignal.any(signal === undefined ? [lost.signal] : [signal, lost.signal]));
  } finally {
    if (!lost.signal.aborted) await release();
  }
}

async function acquire(
  path: string,
  lost: AbortController,
  signal: AbortSignal | undefined,
  onWait: (() => void) | undefined,
): Promise<() => Promise<void>> {
  const options = {
    realpath: false,
    stale: 10_000,
    update: 2_000,
    onCompromised: () => lost.abort(lostLock(path)),
  };
  for (let told = false; ; told = true) {
    try {
      return await lockfile.lock(path, options);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ELOCKED"))
        throw cacheProblem(path, error);
    }
    if (!told) onWait?.();
    if (signal?.aborted) throw new CliprpnError("interrupted", "interrupted");
    await sleep(200);
  }
}

function lostLock(path: string): CliprpnError {
  return new CliprpnError(
    "environment_broken",
    `${path}.lock was taken over by another process; run the command again`,
  );
}
