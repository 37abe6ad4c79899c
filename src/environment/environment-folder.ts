import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { namesIn } from "../base/files.ts";
import { replaceFile } from "../base/replace-file.ts";
import { packageRoot } from "../package-root.ts";

export type EnvironmentName = "runtime" | "test";

/** The packages of an environment, and the machine it is for. */
export interface EnvironmentSpec {
  name: EnvironmentName;
  /** Hash of the lock, the platform and the choice of torch. */
  key: string;
  cache: string;
  lockFile: string;
  /** uv's choice of torch builds; undefined for those of the lock. */
  torchBackend: string | undefined;
}

/** The folder of an environment, whether it is built or not. */
export interface EnvironmentFolder {
  folder: string;
  python: string;
}

/** The environment of a lock on this machine; another lock, platform or torch makes another one. */
export function environmentSpec(
  name: EnvironmentName,
  cache: string,
  torchBackend?: string,
  lockDir: string = join(packageRoot, "env"),
): EnvironmentSpec {
  const lockFile = join(lockDir, `${name}.txt`);
  const parts = [readFileSync(lockFile, "utf8"), process.platform, process.arch, torchBackend ?? "lock"];
  const key = createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
  return { name, key, cache, lockFile, torchBackend };
}

/** The folder for one version of Python: machines that share a home may have different versions. */
export function folderFor(spec: EnvironmentSpec, pythonVersion: string): EnvironmentFolder {
  const minor = pythonVersion.split(".").slice(0, 2).join(".");
  return environmentIn(`${folderPrefix(spec)}-py${minor}`);
}

/**
 * A completely built environment whose interpreter still exists, in the spec's cache or else in a shared one; starts no process.
 */
export function findReady(spec: EnvironmentSpec, shared?: string): EnvironmentFolder | undefined {
  const prefix = `${basename(folderPrefix(spec))}-py`;
  return [spec.cache, ...(shared === undefined ? [] : [shared])]
    .flatMap((cache) =>
      namesIn(cache)
        .filter((entry) => entry.startsWith(prefix))
        .sort()
        .map((entry) => environmentIn(join(cache, entry))),
    )
    .find(isReady);
}

/** The common beginning of the folders for all versions of Python. */
export function folderPrefix({ name, key, cache }: EnvironmentSpec): string {
  return join(cache, `env-${name}-${key}`);
}

/** Marks an environment as completely built; to be called last. */
export function markReady(environment: EnvironmentFolder): void {
  replaceFile(readyFile(environment), interpreterName(environment));
}

/** The mark names the real interpreter (`python3.11`), so that an upgrade of the system's Python is noticed. */
function isReady(environment: EnvironmentFolder): boolean {
  const { python } = environment;
  const file = readyFile(environment);
  return (
    existsSync(file) && existsSync(python) && readFileSync(file, "utf8") === interpreterName(environment)
  );
}

function interpreterName({ python }: EnvironmentFolder): string {
  return basename(realpathSync(python));
}

function readyFile({ folder }: EnvironmentFolder): string {
  return join(folder, "ready");
}

function environmentIn(folder: string): EnvironmentFolder {
  return { folder, python: join(folder, "bin/python") };
}
