import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkDiskSpace, diskOf } from "../base/disk-space.ts";
import { formatBytes } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import { packageRoot } from "../package-root.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { ExtraName } from "./extras.ts";
import { secondsSince, showProgress } from "./install-progress.ts";
import { runTool, type ToolRun } from "./run-tool.ts";
import { indented } from "./tool-error.ts";

/** The location of an installation. */
export interface InstallContext {
  env: NodeJS.ProcessEnv;
  terminal: Terminal;
  signal?: AbortSignal | undefined;
}

/** The commands for uv, and the terminal that shows progress. */
export interface Installer {
  uv: string;
  run: ToolRun;
  terminal: Terminal;
}

/** The packages that uv installs. */
export interface Installation {
  /** The packages, for the user. */
  packages: string;
  folder: string;
  cache: string;
  sizes: PackageSizes;
  /** uv's commands, in order. */
  commands: string[][];
  /** Printed only if something has to be downloaded. */
  advice?: string | undefined;
}

/**
 * Prints what will be downloaded, runs uv's commands and shows their progress.
 *
 * @param verify is called at the end, to check the packages and to mark them as installed.
 * @throws CliprpnError no_network or no_space, before the download where that is possible; what `verify` throws.
 */
export async function installPackages(
  installation: Installation,
  installer: Installer,
  verify: () => Promise<void>,
): Promise<void> {
  const { uv, run, terminal } = installer;
  const started_ms = performance.now();
  await announce(installation, installer);
  for (const command of installation.commands)
    await showProgress(terminal, started_ms, (onLine) => runTool(uv, command, { ...run, onLine }));
  await verify();
  terminal.info(`Installed the Python packages (${secondsSince(started_ms)} s).`);
}

/** The error when packages were installed and cannot be imported. */
export function brokenPackages(folder: string, problems: string[]): CliprpnError {
  return new CliprpnError(
    "environment_broken",
    `the Python packages in ${folder} were installed but cannot be imported on this machine:\n${indented(problems)}`,
  );
}

/** Prints what will be downloaded; a missing network or too little disk space fails here, before the download. */
async function announce(
  { packages, folder, cache, sizes, commands, advice }: Installation,
  { uv, run, terminal }: Installer,
): Promise<void> {
  const [[pip = "", verb = "", ...rest] = [], ...moreCommands] = commands;
  terminal.info(`Installing Python packages (${packages}) into ${folder} (only needed once).`);
  const { output: plan } = await runTool(uv, [pip, verb, "--dry-run", ...rest], run);
  const { stdout: uvCache } = await runTool(uv, ["cache", "dir"], run);
  // uv leaves out a line when its number is 0. The plan does not show what later commands download.
  const nothingToFetch =
    moreCommands.length === 0 && plan.includes("Would install") && !plan.includes("Would download");
  terminal.info(
    nothingToFetch
      ? "Nothing to download: all packages are in uv's cache."
      : `Download size about ${formatBytes(sizes.download_bytes)} (less if uv's cache has some packages); size on disk about ${formatBytes(sizes.disk_bytes)}.`,
  );
  if (advice !== undefined && !nothingToFetch) terminal.info(advice);
  await checkSpace({ cache, uvCache: uvCache.trim(), sizes, nothingToFetch });
}

export interface SpaceQuestion {
  cache: string;
  /** uv keeps the packages here and links to them on the same disk; on another disk they are copied. */
  uvCache: string;
  sizes: PackageSizes;
  /** uv has all packages already. */
  nothingToFetch: boolean;
}

/** @throws CliprpnError no_space when the packages do not fit, naming the folder and both sizes. */
export async function checkSpace(question: SpaceQuestion): Promise<void> {
  const { cache, uvCache } = question;
  const [cacheDisk, uvDisk] = await Promise.all([diskOf(cache), diskOf(uvCache)]);
  for (const { folder, bytes } of spaceNeeded(question, cacheDisk.device === uvDisk.device)) {
    const variable = folder === cache ? "CLIPRPN_CACHE" : "UV_CACHE_DIR";
    await checkDiskSpace({
      folder,
      needed_bytes: bytes,
      what: "the Python packages",
      advice: `set ${variable} to a folder on another disk`,
    });
  }
}

/** The free space that each folder needs. */
export function spaceNeeded(
  { cache, uvCache, sizes, nothingToFetch }: SpaceQuestion,
  sameDisk: boolean,
): { folder: string; bytes: number }[] {
  const bytecode_bytes = 0.05 * sizes.disk_bytes;
  if (sameDisk) return [{ folder: cache, bytes: nothingToFetch ? bytecode_bytes : sizes.disk_bytes }];
  const installed = { folder: cache, bytes: sizes.disk_bytes };
  return nothingToFetch ? [installed] : [installed, { folder: uvCache, bytes: sizes.disk_bytes }];
}

export interface PackageSizes {
  download_bytes: number;
  disk_bytes: number;
}

/** Size of the environment's packages; see `env/sizes.json` for the source of the numbers. */
export function environmentSizes(
  torchBackend: string | undefined,
  platform = `${process.platform}-${process.arch}`,
): PackageSizes {
  const { platforms, default: otherPlatforms } = readSizes();
  return inBytes(platforms[torchBackend === "cpu" ? "cpu" : platform] ?? otherPlatforms);
}

/** Size of the packages that an extra adds. */
export function extraSizes(extra: ExtraName): PackageSizes {
  return inBytes(readSizes().extras[extra]);
}

interface SizesInGb {
  download_gb: number;
  disk_gb: number;
}

function inBytes({ download_gb, disk_gb }: SizesInGb): PackageSizes {
  return { download_bytes: download_gb * 1e9, disk_bytes: disk_gb * 1e9 };
}

function readSizes(): {
  default: SizesInGb;
  platforms: Record<string, SizesInGb>;
  extras: Record<ExtraName, SizesInGb>;
} {
  return JSON.parse(readFileSync(join(packageRoot, "env/sizes.json"), "utf8"));
}
