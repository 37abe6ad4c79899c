import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { diskFullError } from "../base/disk-space.ts";
import { withLock } from "../base/lock.ts";
import { describeOwner, type LockOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** The folder in which environments, features and the demo are kept between runs, per user. */
export function cacheDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  if (env.CLIPRPN_CACHE) return resolve(env.CLIPRPN_CACHE);
  if (env.XDG_CACHE_HOME) return resolve(env.XDG_CACHE_HOME, "cliprpn");
  const home = env.HOME || homedir();
  return platform === "darwin" ? join(home, "Library/Caches/cliprpn") : join(home, ".cache/cliprpn");
}

/** Creates the cache. @throws CliprpnError environment_broken or no_space when it cannot be written. */
export async function makeCache(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw cacheError(folder, error);
  }
}

/** Installs something in the cache, one process at a time; the lock is `path` with `.owners`. */
export function withCacheLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const onWait = (owner: LockOwner): void =>
    terminal.info(`Another process is installing Python packages; waiting for it: ${describeOwner(owner)}`);
  const lost = (): CliprpnError =>
    new CliprpnError(
      "environment_broken",
      `another process took over the lock ${path}.owners; re-run the same command`,
    );
  return withLock(path, { signal, onWait, lost, failed: (error) => cacheError(path, error) }, work);
}

/** The error for a file of the cache that could not be written, with a fix. */
export function cacheError(path: string, cause: unknown): CliprpnError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return (
    diskFullError(path, cause, "free some space, or set CLIPRPN_CACHE to a folder on another disk") ??
    new CliprpnError(
      "environment_broken",
      `${path} is not writable (${code}): set CLIPRPN_CACHE to a folder that you can write to`,
      { cause },
    )
  );
}
