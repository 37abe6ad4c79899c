import { type WithLockOptions, withLock } from "../base/lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import { cacheProblem } from "./cache-folder.ts";

export type Waiting = Pick<WithLockOptions, "signal" | "onWait">;

/** Does something in the cache that only one process at a time may do. */
export function withCacheLock<T>(
  path: string,
  waiting: Waiting,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = (): CliprpnError =>
    new CliprpnError(
      "environment_broken",
      `${path}.lock was taken over by another process; run the command again`,
    );
  return withLock(path, { ...waiting, lost, failed: (error) => cacheProblem(path, error) }, work);
}
