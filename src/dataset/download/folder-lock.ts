import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { CliprpnError } from "../../contract/errors.ts";
import { diskError } from "./disk.ts";

export interface Waiting {
  signal: AbortSignal;
  /** Called once when another process has the folder; it may take hours. */
  onWait: () => void;
}

/**
 * Does something that only one process at a time may do in a folder. One that died is waited for 10 s.
 *
 * @param work is given a signal that is aborted also when the lock is lost (a machine that slept).
 */
export async function withFolder<T>(
  folder: string,
  { signal, onWait }: Waiting,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const release = await acquire(folder, lost, signal, onWait);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    if (!lost.signal.aborted) await release();
  }
}

async function acquire(
  folder: string,
  lost: AbortController,
  signal: AbortSignal,
  onWait: () => void,
): Promise<() => Promise<void>> {
  const options = {
    realpath: false,
    stale: 10_000,
    update: 2_000,
    onCompromised: () => lost.abort(lostLock(folder)),
  };
  for (let told = false; ; told = true) {
    signal.throwIfAborted();
    try {
      return await lockfile.lock(join(folder, "downloads"), options);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ELOCKED"))
        throw diskError(folder, error);
    }
    if (!told) onWait();
    await sleep(200);
  }
}

function lostLock(folder: string): CliprpnError {
  return new CliprpnError(
    "locked",
    `${folder}: another process took it over while this one slept; run the same command again, it goes on where it stopped`,
  );
}
