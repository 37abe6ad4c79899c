import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Terminal } from "../terminal/terminal.ts";
import { broken } from "./build-environment.ts";
import { cacheProblem } from "./cache-folder.ts";
import { withCacheLock } from "./cache-lock.ts";
import { type ExtraFolder, isInstalled, markInstalled } from "./extra-folder.ts";
import { extraPackages, tamed } from "./extra-packages.ts";
import { inspectPython, lacks } from "./inspect-python.ts";
import { announce, extraSizes } from "./install-packages.ts";
import { runTool, type ToolRun } from "./run-tool.ts";
import { seconds, showing } from "./show-progress.ts";
import { type Surroundings, sayWaiting, toolRun } from "./surroundings.ts";
import { findUv } from "./uv.ts";

/** An environment that is ready. */
export interface Host {
  folder: string;
  python: string;
  cache: string;
}

/** Installs an extra, once: a second run waits for the first, and what an interrupted one left is cleared away. */
export async function installExtra(
  extra: ExtraFolder,
  host: Host,
  { env, terminal, signal }: Surroundings,
): Promise<void> {
  const { folder, python, cache } = host;
  const onWait = sayWaiting(terminal);
  await withCacheLock(join(folder, "extras"), { signal, onWait }, async (held) => {
    if (isInstalled(extra)) return;
    const run = { ...toolRun(env, cache), signal: held };
    const uv = await findUv(cache, python, run, terminal.info, { signal: held, onWait });
    await install(extra, host, uv, run, terminal);
  });
}

async function install(
  extra: ExtraFolder,
  { python, cache }: Host,
  uv: string,
  run: ToolRun,
  terminal: Terminal,
): Promise<void> {
  const started = Date.now();
  const { name, packages, lock, lockFile } = extra;
  const { use, packages: wanted, licence } = extraPackages[name];
  terminal.info(
    `Now the packages for ${use}; \`cliprpn setup --extra ${name}\` fetches them ahead of time, for machines without a network.`,
  );
  if (licence !== undefined) terminal.info(licence);
  // uv takes a half-installed package for an installed one.
  await rm(packages, { recursive: true, force: true });
  await writeFile(lockFile, lock).catch((error) => {
    throw cacheProblem(lockFile, error);
  });
  const command = extraCommand(python, extra);
  const installation = {
    packages: Object.values(wanted).join(", "),
    folder: packages,
    cache,
    sizes: extraSizes(name),
    command,
    moreFollows: false,
  };
  await announce(installation, uv, run, terminal);
  await showing(terminal, started, (onLine) => runTool(uv, command, { ...run, onLine }));
  const env = { ...tamed(run.env, cache), PYTHONPATH: packages };
  const lacking = lacks(await inspectPython(python, { ...run, env }, wanted), wanted);
  if (lacking.length > 0)
    throw broken(
      packages,
      lacking.map(({ module, why }) => `${module}: ${why}`),
    );
  await markInstalled(extra);
  terminal.info(`Python packages are set up (${seconds(started)} s).`);
}

/** Nothing but what the file names, each against its hashes: torch and all else that is there stays as it is. */
function extraCommand(python: string, { packages, lockFile }: ExtraFolder): string[] {
  return [
    ...["pip", "install", "--python", python, "--target", packages],
    ...["--no-deps", "--require-hashes", "--compile-bytecode", "-r", lockFile],
  ];
}
