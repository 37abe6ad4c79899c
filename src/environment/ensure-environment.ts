import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { buildEnvironment } from "./build-environment.ts";
import { type CacheFolders, cacheFolders } from "./cache-folders.ts";
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
  const folders = cacheFolders(env);
  const userPython = options.python || env.CLIPRPN_PYTHON;
  if (userPython)
    return { kind: "user", python: await checkUserPython(userPython, folders.own, { env, signal }) };
  const torchBackend = chosenTorch(options.torchBackend, folders, env);
  const spec = environmentSpec(options.name, folders.own, torchBackend, options.lockDir);
  const ready = findReady(spec, folders.shared);
  if (ready !== undefined) return { kind: "managed", ...ready };
  if (folders.isTemporary) throw nowhereToBuild(folders);
  return { kind: "managed", ...(await buildEnvironment(spec, { env, terminal, signal })) };
}

function nowhereToBuild({ shared }: CacheFolders): CliprpnError {
  return new CliprpnError(
    "environment_broken",
    `${shared}: expected the Python packages of this version of cliprpn, found none, and the folder is not writable; set CLIPRPN_CACHE to a folder that you can write to`,
  );
}
