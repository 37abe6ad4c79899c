import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where environments, features and the demo are kept between runs, for this person. */
export function cacheDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  if (env.CLIPRPN_CACHE) return resolve(env.CLIPRPN_CACHE);
  if (env.XDG_CACHE_HOME) return resolve(env.XDG_CACHE_HOME, "cliprpn");
  const home = env.HOME || homedir();
  return platform === "darwin" ? join(home, "Library/Caches/cliprpn") : join(home, ".cache/cliprpn");
}
