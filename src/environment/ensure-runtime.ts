import type { Terminal } from "../terminal/terminal.ts";
import { buildEnvironment } from "./build-environment.ts";
import { cacheDir } from "./cache-dir.ts";
import { describeEnvironment, type EnvironmentName, findReady } from "./environment.ts";
import { checkOwnPython } from "./own-python.ts";
import { chosenTorch } from "./torch-choice.ts";
import { checkPlatform } from "./unsupported-platform.ts";

/** An interpreter that has what trials need. */
export type Runtime = {
  python: string;
  /** What it holds: the hash of the lock and the platform, or of an own interpreter's package versions. */
  key: string;
} & ({ kind: "managed"; folder: string } | { kind: "own" });

export interface RuntimeOptions {
  environment: EnvironmentName;
  terminal: Terminal;
  /** A person's own interpreter; CLIPRPN_PYTHON stands for it. */
  python?: string | undefined;
  /** uv's choice of torch builds (`cpu`, `cu128`, ...); "lock" for those of the lock. */
  torchBackend?: string | undefined;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** For tests: the platform, and where the locks lie. */
  platform?: NodeJS.Platform;
  lockDir?: string;
}

/**
 * The interpreter to run trials with: the person's own, checked, or ours, built from the lock the first time.
 *
 * @throws CliprpnError unsupported_platform, python_unsuitable, package_missing, no_network, no_space, environment_broken.
 */
export async function ensureRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { env = process.env, platform = process.platform, terminal, signal } = options;
  checkPlatform(platform);
  const own = options.python || env.CLIPRPN_PYTHON;
  const cache = cacheDir(env);
  if (own) return { kind: "own", ...(await checkOwnPython(own, cache, { env, signal })) };
  const torchBackend = chosenTorch(options.torchBackend, cache, env);
  const definition = describeEnvironment(options.environment, cache, torchBackend, options.lockDir);
  const environment =
    findReady(definition) ?? (await buildEnvironment(definition, { env, terminal, signal }));
  return { kind: "managed", ...environment, key: definition.key };
}
