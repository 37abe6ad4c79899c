import type { Terminal } from "../terminal/terminal.ts";
import { buildEnvironment } from "./build-environment.ts";
import { cacheDir } from "./cache.ts";
import {
  type EnvironmentFolder,
  type EnvironmentName,
  environmentSpec,
  findReady,
} from "./environment-folder.ts";
import { checkPlatform } from "./requirements.ts";
import { chosenTorch } from "./torch-choice.ts";
import { checkUserPython } from "./user-python.ts";

/** An interpreter that has the packages that trials need: in an environment that cliprpn built, or the user's. */
export type Environment = ({ kind: "managed" } & EnvironmentFolder) | { kind: "user"; python: string };

export interface EnvironmentOptions {
  name: EnvironmentName;
  terminal: Terminal;
  /** The user's interpreter; CLIPRPN_PYTHON is used otherwise. */
  python?: string | undefined;
  /** uv's choice of torch builds (`cpu`, `cu128`, ...); "lock" for those of the lock. */
  torchBackend?: string | undefined;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** For tests: the platform, and the folder of the locks. */
  platform?: NodeJS.Platform;
  lockDir?: string;
}

/**
 * The interpreter to run trials with: the user's, after a check, or one of our own environment, which is built from the lock
 * on first use.
 *
 * @throws CliprpnError unsupported_platform, python_unsuitable, package_missing, no_network, no_space, environment_broken.
 */
export async function ensureEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { env = process.env, platform = process.platform, terminal, signal } = options;
  checkPlatform(platform);
  const cache = cacheDir(env);
  const userPython = options.python || env.CLIPRPN_PYTHON;
  if (userPython) return { kind: "user", python: await checkUserPython(userPython, cache, { env, signal }) };
  const torchBackend = chosenTorch(options.torchBackend, cache, env);
  const spec = environmentSpec(options.name, cache, torchBackend, options.lockDir);
  const ready = findReady(spec) ?? (await buildEnvironment(spec, { env, terminal, signal }));
  return { kind: "managed", ...ready };
}
