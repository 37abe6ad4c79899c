import { join } from "node:path";
import { type WithLockOptions, withLock } from "../../base/lock.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { diskError } from "./disk.ts";

/** Does something that only one process at a time may do in a folder. */
export function withFolder<T>(
  folder: string,
  waiting: Pick<WithLockOptions, "signal" | "onWait">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = (): CliprpnError =>
    new CliprpnError(
      "locked",
      `${folder}: another process took it over while this one slept; run the same command again, it goes on where it stopped`,
    );
  const failed = (error: unknown): CliprpnError => diskError(folder, error);
  return withLock(join(folder, "downloads"), { ...waiting, lost, failed }, work);
}
