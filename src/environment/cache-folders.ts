import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { namesIn } from "../base/files.ts";
import { homeFolder } from "../base/home-folder.ts";
import { makeTempFolder } from "../base/temp-folder.ts";
import { CliprpnError } from "../contract/errors.ts";

/** The two layers of the cache: what is in the shared one is used, what is new goes into the own one. */
export interface CacheFolders {
  /** The user's. */
  own: string;
  /** Only read; of an administrator, on a medium that cannot be written. Undefined if there is none. */
  shared: string | undefined;
  /** No folder can be written: what is new is lost when the command ends. */
  isTemporary: boolean;
}

/**
 * The own cache is CLIPRPN_CACHE, or the user's cache folder. The shared one is CLIPRPN_SHARED_CACHE, or one of these two if it
 * is filled and cannot be written.
 *
 * @throws CliprpnError environment_broken if no variable is set and the user has no home.
 */
export function cacheFolders(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): CacheFolders {
  const chosen = env.CLIPRPN_CACHE ? resolve(env.CLIPRPN_CACHE) : undefined;
  const explicit = env.CLIPRPN_SHARED_CACHE ? resolve(env.CLIPRPN_SHARED_CACHE) : undefined;
  if (explicit !== undefined && !existsSync(explicit))
    throw new CliprpnError(
      "environment_broken",
      `CLIPRPN_SHARED_CACHE: expected a folder, found nothing at ${explicit}; correct or unset it`,
    );
  const first = chosen ?? userCache(env, platform);
  const isShared = isFilled(first) && !isWritable(first);
  if (!isShared) return { own: first, shared: explicit === first ? undefined : explicit, isTemporary: false };
  const second = chosen === undefined ? undefined : undefinedIfNone(() => userCache(env, platform));
  const shared = explicit ?? first;
  if (second !== undefined && second !== first && isWritable(second))
    return { own: second, shared, isTemporary: false };
  temporary ??= makeTempFolder();
  return { own: temporary, shared, isTemporary: true };
}

let temporary: string | undefined;

/** The user's cache folder. */
function userCache(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (env.XDG_CACHE_HOME) return resolve(env.XDG_CACHE_HOME, "cliprpn");
  const home = homeFolder(env);
  if (home === undefined)
    throw new CliprpnError(
      "environment_broken",
      "expected a home folder for the cache, found none (HOME is empty, and the system has no entry for this user): set CLIPRPN_CACHE to a folder that you can write to",
    );
  return resolve(home, platform === "darwin" ? "Library/Caches/cliprpn" : ".cache/cliprpn");
}

function undefinedIfNone(find: () => string): string | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof CliprpnError) return undefined;
    throw error;
  }
}

/** True if cliprpn has written something into the folder that saves work. */
function isFilled(folder: string): boolean {
  return readableNames(folder).some((name) => /^(env-|prepared$|features$|vectors$|detections$)/.test(name));
}

function readableNames(folder: string): string[] {
  try {
    return namesIn(folder);
  } catch {
    return []; // Not readable.
  }
}

/** True if the folder, or the nearest one above it that exists, can be written. */
export function isWritable(folder: string): boolean {
  if (!existsSync(folder)) return dirname(folder) !== folder && isWritable(dirname(folder));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}
