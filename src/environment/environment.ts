import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { packageRoot } from "../base/package-root.ts";

export type EnvironmentName = "runtime" | "test";

/** What an environment is to hold, on which machine. */
export interface Definition {
  name: EnvironmentName;
  /** Hash of the lock, the platform and the choice of torch. */
  key: string;
  cache: string;
  lockFile: string;
  /** uv's choice of torch builds; without one, those that the lock names. */
  torchBackend: string | undefined;
}

/** A folder that holds it, or will. */
export interface Environment {
  folder: string;
  python: string;
}

/** The environment that a lock describes on this machine; another lock, platform or torch is another one. */
export function describeEnvironment(
  name: EnvironmentName,
  cache: string,
  torchBackend?: string,
  lockDir: string = join(packageRoot, "env"),
): Definition {
  const lockFile = join(lockDir, `${name}.txt`);
  const parts = [readFileSync(lockFile, "utf8"), process.platform, process.arch, torchBackend ?? "lock"];
  const key = createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
  return { name, key, cache, lockFile, torchBackend };
}

/** What all folders of a definition begin with; the Python that made one comes after it. */
export function folderStem({ name, key, cache }: Definition): string {
  return join(cache, `env-${name}-${key}`);
}

/** The folder for this Python: machines that share a home may have different ones. */
export function environmentFor(definition: Definition, pythonVersion: string): Environment {
  const minor = pythonVersion.split(".").slice(0, 2).join(".");
  return environmentIn(`${folderStem(definition)}-py${minor}`);
}

/** An environment that was built to its end and whose Python is still there; no process is started to know that. */
export function findReady(definition: Definition): Environment | undefined {
  const { cache } = definition;
  if (!existsSync(cache)) return undefined;
  const stem = `${basename(folderStem(definition))}-py`;
  return readdirSync(cache)
    .filter((entry) => entry.startsWith(stem))
    .sort()
    .map((entry) => environmentIn(join(cache, entry)))
    .find(isReady);
}

/** Written last: without it an environment is half made. */
export async function markReady(environment: Environment): Promise<void> {
  await writeFileAtomic(readyFile(environment), interpreterName(environment));
}

/** Names the real interpreter (`python3.11`), so that an upgrade of the system's Python is noticed. */
function isReady(environment: Environment): boolean {
  const { python } = environment;
  const file = readyFile(environment);
  return (
    existsSync(file) && existsSync(python) && readFileSync(file, "utf8") === interpreterName(environment)
  );
}

function interpreterName({ python }: Environment): string {
  return basename(realpathSync(python));
}

function readyFile({ folder }: Environment): string {
  return join(folder, "ready");
}

function environmentIn(folder: string): Environment {
  return { folder, python: join(folder, "bin/python") };
}
