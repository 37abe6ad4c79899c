import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";

export type EnvironmentName = "runtime" | "test";

/** A Python environment of ours: what it holds and where it lies. Pure, but for reading the lock. */
export interface Environment {
  name: EnvironmentName;
  key: string;
  folder: string;
  python: string;
  lockFile: string;
  torchBackend: string | undefined;
}

/** The environment that a lock describes on this machine; another lock, platform or backend is another folder. */
export function describeEnvironment(
  name: EnvironmentName,
  cache: string,
  torchBackend?: string,
): Environment {
  const lockFile = join(packageRoot, "env", `${name}.txt`);
  const parts = [readFileSync(lockFile, "utf8"), process.platform, process.arch, torchBackend ?? "lock"];
  const key = createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
  const folder = join(cache, "envs", `${name}-${key}`);
  return { name, key, folder, python: join(folder, "bin/python"), lockFile, torchBackend };
}

/** Written last: without it an environment is half made. */
export function readyMarker({ folder }: Environment): string {
  return join(folder, "ready.json");
}

export function isReady(environment: Environment): boolean {
  return existsSync(readyMarker(environment)) && existsSync(environment.python);
}

/** Download and room on disk, in GB; measured for Linux x86-64, about right elsewhere. */
export function sizes(torchBackend: string | undefined): { download_gb: number; disk_gb: number } {
  const known: Record<string, { download_gb: number; disk_gb: number }> = JSON.parse(
    readFileSync(join(packageRoot, "env/sizes.json"), "utf8"),
  );
  const key = torchBackend === "cpu" ? "cpu" : `${process.platform}-${process.arch}`;
  return known[key] ?? { download_gb: 3, disk_gb: 6 };
}

/** The remembered choice of `cliprpn setup --torch-backend`. */
export function backendFile(cache: string): string {
  return join(cache, "torch-backend");
}
