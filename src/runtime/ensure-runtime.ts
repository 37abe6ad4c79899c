import { existsSync, readFileSync } from "node:fs";
import { CliprpnError } from "../contract/errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { buildEnvironment } from "./build-environment.ts";
import { cacheDir } from "./cache-dir.ts";
import { backendFile, describeEnvironment, type EnvironmentName, isReady } from "./environment.ts";
import { inspectPython, shortcomings } from "./own-python.ts";

/** An interpreter that has what trials need. */
export interface Runtime {
  python: string;
  kind: "managed" | "own";
}

export interface RuntimeOptions {
  environment: EnvironmentName;
  terminal: Terminal;
  /** A person's own interpreter; CLIPRPN_PYTHON stands for it. */
  python?: string | undefined;
  torchBackend?: string | undefined;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/**
 * The interpreter to run trials with: the person's own, checked, or ours, built from the lock the first time.
 *
 * @throws CliprpnError unsupported_platform, python_unsuitable, package_missing, no_network, no_space, environment_broken.
 */
export async function ensureRuntime(options: RuntimeOptions): Promise<Runtime> {
  const env = options.env ?? process.env;
  const own = options.python ?? env.CLIPRPN_PYTHON;
  if (own) return { python: await checkedPython(own, env), kind: "own" };
  const cache = cacheDir(env);
  const environment = describeEnvironment(
    options.environment,
    cache,
    options.torchBackend ?? rememberedBackend(cache),
  );
  if (!isReady(environment))
    await buildEnvironment(environment, cache, env, options.terminal, options.signal);
  return { python: environment.python, kind: "managed" };
}

/** What `cliprpn setup --torch-backend` chose, so that later commands use it too. */
export function rememberedBackend(cache: string): string | undefined {
  const file = backendFile(cache);
  return existsSync(file) ? readFileSync(file, "utf8").trim() || undefined : undefined;
}

async function checkedPython(python: string, env: NodeJS.ProcessEnv): Promise<string> {
  const inspection = await inspectPython(python, env);
  const lines = shortcomings(inspection);
  if (lines.length === 0) return inspection.executable;
  throw new CliprpnError(
    "package_missing",
    `${python} cannot be used:\n${lines.map((line) => `  ${line}`).join("\n")}\n  without --python, cliprpn sets up its own environment`,
  );
}
