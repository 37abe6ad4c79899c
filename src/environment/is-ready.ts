import { cacheFolders } from "./cache-folders.ts";
import { hasExtra } from "./ensure-extras.ts";
import { environmentSpec, findReady } from "./environment-folder.ts";
import type { ExtraName } from "./extras.ts";
import { chosenTorch } from "./torch-choice.ts";

/**
 * True if trials could start now, without installing anything. A person's own interpreter counts as ready: it is checked when
 * it is started.
 */
export function isReadyToRun(
  { python, env }: { python: string | undefined; env: NodeJS.ProcessEnv },
  extras: readonly ExtraName[],
): boolean {
  if (python || env.CLIPRPN_PYTHON) return true;
  const folders = cacheFolders(env);
  const spec = environmentSpec("runtime", folders.own, chosenTorch(undefined, folders, env));
  const ready = findReady(spec, folders.shared);
  return ready !== undefined && extras.every((name) => hasExtra(name, ready.folder, folders.own));
}
