import { cacheDir } from "./cache-dir.ts";
import type { Runtime } from "./ensure-runtime.ts";
import { describeExtra, isInstalled } from "./extra-folder.ts";
import type { ExtraName } from "./extra-packages.ts";
import { installExtra } from "./install-extra.ts";
import { checkOwnExtra } from "./own-extra.ts";
import type { Surroundings } from "./surroundings.ts";

export type { ExtraName };

export interface ExtrasOptions extends Omit<Surroundings, "env"> {
  env?: NodeJS.ProcessEnv;
  /** For tests: where the locks lie. */
  lockDir?: string;
}

/**
 * What some detectors need beside the runtime: an own interpreter is checked for it, ours is given it the first time.
 *
 * @throws CliprpnError package_missing, no_network, no_space, environment_broken.
 */
export async function ensureExtras(
  runtime: Runtime,
  extras: readonly ExtraName[],
  options: ExtrasOptions,
): Promise<void> {
  const { env = process.env, terminal, signal, lockDir } = options;
  const cache = cacheDir(env);
  for (const name of withoutContained(extras)) {
    if (runtime.kind === "own") {
      await checkOwnExtra(runtime.python, name, cache, { env, signal });
      continue;
    }
    if (isReady(name, runtime.folder, lockDir)) continue;
    const extra = describeExtra(name, runtime.folder, lockDir);
    await installExtra(extra, { ...runtime, cache }, { env, terminal, signal });
  }
}

/** Whether an environment has an extra, or another one that holds it. */
function isReady(name: ExtraName, folder: string, lockDir?: string): boolean {
  const holders: ExtraName[] = name === "onnx" ? ["onnx", "yolo"] : ["yolo"];
  return holders.some((holder) => isInstalled(describeExtra(holder, folder, lockDir)));
}

function withoutContained(extras: readonly ExtraName[]): ExtraName[] {
  return extras.includes("yolo") ? ["yolo"] : [...new Set(extras)];
}
