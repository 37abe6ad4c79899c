import { isInterruption } from "../contract/errors.ts";
import { acquireOwnerLock, type LockOwner } from "./owner-lock.ts";

export interface WithLockOptions {
  signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock, which may last for hours. */
  onWait?: ((owner: LockOwner) => void) | undefined;
  /** The error when another process took the lock over. */
  lost: () => Error;
  /** The error when the lock cannot be created. */
  failed?: (error: unknown) => unknown;
}

/**
 * Runs `work` while no other process holds the same lock.
 *
 * @param path the lock is the folder of this path with `.owners`. Earlier versions took `.lock`, and fail at a folder with files.
 * @param work gets a signal that is aborted also when the lock is lost.
 */
export async function withLock<T>(
  path: string,
  { signal, onWait, lost, failed = (error) => error }: WithLockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lostLock = new AbortController();
  const onLost = (): void => lostLock.abort(lost());
  const lock = await acquireOwnerLock(`${path}.owners`, { signal, onWait, onLost }).catch((error) => {
    throw isInterruption(error, signal) ? error : failed(error);
  });
  try {
    return await work(signal === undefined ? lostLock.signal : AbortSignal.any([signal, lostLock.signal]));
  } finally {
    await lock.release();
  }
}
