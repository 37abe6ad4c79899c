import { setTimeout as sleep } from "node:timers/promises";

export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock, which may last for hours. */
  onWait?: (() => void) | undefined;
  /** Maximum time to wait for the other process; no limit by default. */
  maxWaitMs?: number;
  /** Called when another process took the lock over, as happens after this process was suspended. */
  onLost: () => void;
}

export interface WithLockOptions extends Pick<LockOptions, "signal" | "onWait"> {
  /** The error when another process took the lock over. */
  lost: () => Error;
  /** The error when the lock cannot be created. */
  failed?: (error: unknown) => unknown;
}

/**
 * Runs `work` while no other process holds the same lock.
 *
 * @param path the lock is this path with `.lock`; its folder exists.
 * @param work gets a signal that is aborted also when the lock is lost.
 */
export async function withLock<T>(
  path: string,
  { signal, onWait, lost, failed = (error) => error }: WithLockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lostLock = new AbortController();
  const onLost = (): void => lostLock.abort(lost());
  const release = await acquireLock(`${path}.lock`, { signal, onWait, onLost }).catch((error) => {
    throw signal?.aborted ? error : failed(error);
  });
  try {
    return await work(signal === undefined ? lostLock.signal : AbortSignal.any([signal, lostLock.signal]));
  } finally {
    if (!lostLock.signal.aborted) await release();
  }
}

/**
 * Takes a lock that one process at a time can hold. The lock of a process that died is taken over 10 s after its death.
 *
 * @returns what releases it.
 * @throws an error that `isHeld` recognizes, after `maxWaitMs`; the signal's reason; an error of the file system.
 */
export async function acquireLock(
  lockFile: string,
  { signal, onWait, maxWaitMs = Number.POSITIVE_INFINITY, onLost }: LockOptions,
): Promise<() => Promise<void>> {
  // Loaded on first use: it adds signal handlers, and --help takes no lock.
  const { default: lockfile } = await import("proper-lockfile");
  const options = {
    lockfilePath: lockFile,
    realpath: false,
    stale: 10_000,
    update: 2_000,
    onCompromised: onLost,
  };
  const started = performance.now();
  for (let isFirst = true; ; isFirst = false) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(lockFile, options);
    } catch (error) {
      if (!isHeld(error) || performance.now() - started > maxWaitMs) throw error;
    }
    if (isFirst) onWait?.();
    await sleep(200);
  }
}

/** True if a lock could not be taken because another process holds it. */
export function isHeld(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ELOCKED";
}
