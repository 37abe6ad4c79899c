import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { replaceFile } from "../base/replace-file.ts";
import { packageRoot } from "../package-root.ts";
import { cacheDir, cacheError, makeCache, withCacheLock } from "./cache.ts";
import { isWritable } from "./cache-folders.ts";
import type { Environment } from "./ensure-environment.ts";
import type { EnvironmentFolder } from "./environment-folder.ts";
import { type ExtraName, extraNames, extras, offlineYoloEnv } from "./extras.ts";
import { findUv } from "./find-tools.ts";
import { inspectPython, packageProblems } from "./inspect-python.ts";
import {
  brokenPackages,
  extraSizes,
  type InstallContext,
  type Installer,
  installPackages,
} from "./install-packages.ts";
import { withoutPackagesOf } from "./locked-packages.ts";
import { toolRun } from "./run-tool.ts";
import { checkUserExtra } from "./user-python.ts";

export interface ExtrasOptions extends Omit<InstallContext, "env"> {
  env?: NodeJS.ProcessEnv;
  /** For tests: the folder of the locks. */
  lockDir?: string;
}

/**
 * The packages that some detectors, or Ray, need in addition: the user's interpreter is checked for them, and our own environment gets
 * them on first use; those of an environment in a shared cache go into the own cache.
 *
 * @returns the folders of modules that are not on the path of the environment's Python.
 * @throws CliprpnError package_missing, no_network, no_space, environment_broken.
 */
export async function ensureExtras(
  environment: Environment,
  names: readonly ExtraName[],
  { env = process.env, terminal, signal, lockDir }: ExtrasOptions,
): Promise<string[]> {
  const cache = cacheDir(env);
  for (const name of withoutContained(names)) {
    if (environment.kind === "user") {
      await checkUserExtra(environment.python, name, cache, { env, signal });
      continue;
    }
    const place = placesOf(environment.folder, cache).find((candidate) =>
      isAvailable(name, candidate, lockDir),
    );
    if (place === undefined) await installExtra(name, environment, { env, terminal, signal, lockDir });
  }
  if (environment.kind === "user") return [];
  return extraModulePath(environment.folder, cache, lockDir);
}

/** True if an environment has an extra, in its own folder or in the cache. */
export function hasExtra(name: ExtraName, environmentFolder: string, cache: string): boolean {
  return placesOf(environmentFolder, cache).some((place) => isAvailable(name, place));
}

/** The folders of installed extras that are not on the path of an environment's Python, as they lie in another cache. */
export function extraModulePath(environmentFolder: string, cache: string, lockDir?: string): string[] {
  return placesOf(environmentFolder, cache)
    .slice(1)
    .flatMap((place) => extraNames.map((name) => extraFolder(name, place, lockDir)))
    .filter(isInstalled)
    .map(({ packages }) => packages);
}

/** Without those that another one contains, each once. */
function withoutContained(names: readonly ExtraName[]): ExtraName[] {
  const contained = names.map((name) => extras[name].contains);
  return [...new Set(names)].filter((name) => !contained.includes(name));
}

/** Where extras of an environment lie: the folder, and the folder that a `.pth` file in it must be in to have an effect. */
interface ExtraPlace {
  folder: string;
  pathFolder: string;
}

/** In the environment; for one that cannot be written, also in the own cache. */
function placesOf(environmentFolder: string, cache: string): ExtraPlace[] {
  const lib = join(environmentFolder, "lib");
  const python = readdirSync(lib).find((entry) => entry.startsWith("python")) ?? "python3";
  const inside = { folder: environmentFolder, pathFolder: join(lib, python, "site-packages") };
  if (isWritable(environmentFolder)) return [inside];
  const outside = join(cache, `extras-of-${basename(environmentFolder)}`);
  return [inside, { folder: outside, pathFolder: outside }];
}

/** True if a place has an extra, or one that contains it. */
function isAvailable(name: ExtraName, place: ExtraPlace, lockDir?: string): boolean {
  const sources = extraNames.filter((other) => other === name || extras[other].contains === name);
  return sources.some((source) => isInstalled(extraFolder(source, place, lockDir)));
}

/** An extra of an environment, in a separate folder, so that the environment's own packages, such as torch, do not change. */
interface ExtraFolder {
  name: ExtraName;
  /** The extra's lock without the packages that the environment has already. */
  lock: string;
  /** The file that uv reads it from. */
  lockFile: string;
  /** The folder of its packages; another lock has another folder. */
  packages: string;
  /** Adds that folder to Python's path. It is written last: without it the extra is incomplete. */
  pathFile: string;
}

function extraFolder(
  name: ExtraName,
  { folder, pathFolder }: ExtraPlace,
  lockDir: string = join(packageRoot, "env"),
): ExtraFolder {
  const readLock = (file: string): string => readFileSync(join(lockDir, `${file}.txt`), "utf8");
  const lock = withoutPackagesOf(readLock("runtime"), readLock(`extra-${name}`));
  const hash = createHash("sha256").update(lock).digest("hex").slice(0, 16);
  return {
    name,
    lock,
    lockFile: join(folder, `extra-${name}.txt`),
    packages: join(folder, `extra-${name}-${hash}`),
    pathFile: join(pathFolder, `cliprpn-extra-${name}.pth`),
  };
}

/** True if it was completely installed from the current lock file; starts no process. */
function isInstalled(extra: ExtraFolder): boolean {
  const { packages, pathFile } = extra;
  return existsSync(packages) && existsSync(pathFile) && readFileSync(pathFile, "utf8") === pathLine(extra);
}

/** The folder relative to `lib/python3.x/site-packages`, so that it is ASCII wherever the cache is. */
function pathLine({ packages }: ExtraFolder): string {
  return `../../../${basename(packages)}\n`;
}

/** Installs an extra once: a second process waits for the first, and the rest of an interrupted installation is removed. */
async function installExtra(
  name: ExtraName,
  { folder, python }: EnvironmentFolder,
  { env, terminal, signal, lockDir }: InstallContext & { lockDir: string | undefined },
): Promise<void> {
  const cache = cacheDir(env);
  const place = placesOf(folder, cache).at(-1) ?? { folder, pathFolder: folder };
  const extra = extraFolder(name, place, lockDir);
  await makeCache(place.folder);
  await withCacheLock(join(place.folder, "extras"), signal, terminal, async (lockSignal) => {
    if (isInstalled(extra)) return;
    const run = toolRun(env, cache, lockSignal);
    const uv = await findUv(cache, python, run, terminal);
    await install(extra, python, cache, { uv, run, terminal });
  });
}

async function install(
  extra: ExtraFolder,
  python: string,
  cache: string,
  installer: Installer,
): Promise<void> {
  const { name, packages, lock, lockFile } = extra;
  const { neededBy, packages: wanted, license } = extras[name];
  const { run, terminal } = installer;
  terminal.info(
    `Installing the packages for ${neededBy}. For machines without a network, install them in advance with \`cliprpn setup --extra ${name}\`.`,
  );
  if (license !== undefined) terminal.info(license);
  // uv takes a half-installed package for an installed one.
  await rm(packages, { recursive: true, force: true });
  await writeFile(lockFile, lock).catch((error) => {
    throw cacheError(lockFile, error);
  });
  await installPackages(
    {
      packages: Object.values(wanted).join(", "),
      folder: packages,
      cache,
      sizes: extraSizes(name),
      commands: [installCommand(python, extra)],
    },
    installer,
    async () => {
      const env = offlineYoloEnv(run.env, cache);
      const verifyRun = { ...run, env, extraModulePath: [packages] };
      const problems = packageProblems(await inspectPython(python, verifyRun, wanted), wanted);
      if (problems.length > 0)
        throw brokenPackages(
          packages,
          problems.map(({ module, reason }) => `${module}: ${reason}`),
        );
      replaceFile(extra.pathFile, pathLine(extra));
    },
  );
}

/** Only the packages of the file, each verified by its hashes; torch and the other installed packages do not change. */
function installCommand(python: string, { packages, lockFile }: ExtraFolder): string[] {
  return [
    ...["pip", "install", "--python", python, "--target", packages],
    ...["--no-deps", "--require-hashes", "--compile-bytecode", "-r", lockFile],
  ];
}
