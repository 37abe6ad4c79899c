import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { diskFullError } from "../base/disk-space.ts";
import { errorCode } from "../base/files.ts";
import { withLock } from "../base/lock.ts";
import { describeOwner, type LockOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type CacheFolders, cacheFolders, isWritable } from "./cache-folders.ts";
import { linkShared } from "./link-shared.ts";

/** The folder in which environments, features and the demo are kept between runs, per user. */
export function cacheDir(env: NodeJS.ProcessEnv, platform?: NodeJS.Platform): string {
  return cacheFolders(env, platform).own;
}

/**
 * The layers of the cache, for a command that is about to use them. Once per command, says where new files go if that is not
 * where the user expects them, and makes what the shared cache has available in the own one.
 */
export function layeredCache(env: NodeJS.ProcessEnv, terminal: Terminal): CacheFolders {
  const folders = cacheFolders(env);
  const { own, shared, isTemporary } = folders;
  if (opened.has(`${own} ${shared}`)) return folders;
  opened.add(`${own} ${shared}`);
  if (isTemporary)
    terminal.warn(
      `${shared} cannot be written: what is computed now is lost when this command ends; set CLIPRPN_CACHE to a folder that you can write to`,
    );
  else if (shared !== undefined && !env.CLIPRPN_SHARED_CACHE)
    terminal.info(`${shared} cannot be written: using what it has, and writing new files into ${own}`);
  if (isWritable(own)) linkShared(folders);
  return folders;
}

const opened = new Set<string>();

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
  return (
    diskFullError(path, cause, "free some space, or set CLIPRPN_CACHE to a folder on another disk") ??
    new CliprpnError(
      "environment_broken",
      `${path} is not writable (${errorCode(cause)}): set CLIPRPN_CACHE to a folder that you can write to`,
      { cause },
    )
  );
}
