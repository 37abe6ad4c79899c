import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";

export interface Waiting {
  signal?: AbortSignal | undefined;
  /** Called once when another process has the lock; it may have it for hours. */
  onWait?: (() => void) | undefined;
  /** What the loss of the lock means: another process took it while this one slept. */
  lost: () => Error;
  /** What it means that no lock can be made there. */
  failed?: (error: unknown) => unknown;
}

/**
 * Does something that only one process at a time may do. One that died holding the lock is waited for 10 s.
 *
 * @param path of the lock is this with `.lock`; its folder is there.
 * @param work is given a signal that is aborted also when the lock is lost.
 */
export async function withLock<T>(
  path: string,
  waiting: Waiting,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = waiting;
  const lost = new AbortController();
  const release = await acquire(path, lost, waiting);
  try {
    return await work(signal === undefined ? lost.signal : AbortSignal.any([signal, lost.signal]));
  } finally {
    if (!lost.signal.aborted) await release();
  }
}

async function acquire(
  path: string,
  lost: AbortController,
  { signal, onWait, lost: lostError, failed = (error) => error }: Waiting,
): Promise<() => Promise<void>> {
  const options = {
    realpath: false,
    stale: 10_000,
    update: 2_000,
    onCompromised: () => lost.abort(lostError()),
  };
  for (let told = false; ; told = true) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(path, options);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ELOCKED")) throw failed(error);
    }
    if (!told) onWait?.();
    await sleep(200);
  }
}
