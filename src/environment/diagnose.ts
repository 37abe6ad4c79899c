import { access, constants } from "node:fs/promises";
import { createRequire } from "node:module";
import { diskOf } from "../base/disk-space.ts";
import { formatBytes } from "../base/format.ts";
import { loadSharp } from "../base/sharp.ts";
import { CliprpnError } from "../contract/errors.ts";
import { packageRoot, version } from "../package-root.ts";
import { cacheFolders } from "./cache-folders.ts";
import { broken, type DoctorRow, firstLine, missing, ok } from "./doctor-row.ts";
import { extraModulePath } from "./ensure-extras.ts";
import { environmentSpec, findReady, folderFor } from "./environment-folder.ts";
import { askUv, findPython } from "./find-tools.ts";
import { environmentSizes } from "./install-packages.ts";
import { interpreterRows } from "./interpreter-rows.ts";
import { atLeast } from "./requirements.ts";
import type { ToolRun } from "./run-tool.ts";
import { chosenTorch } from "./torch-choice.ts";
import type { StartWorker } from "./worker-rows.ts";

export interface DoctorReport {
  ok: boolean;
  rows: DoctorRow[];
}

export interface DoctorOptions extends ToolRun {
  python?: string | undefined;
  platform?: NodeJS.Platform;
  lockDir?: string;
  /** Without it, no worker is started. */
  startWorker?: StartWorker;
}

/** Checks everything that cliprpn needs, and changes nothing. */
export async function diagnose(options: DoctorOptions): Promise<DoctorReport> {
  const { env, platform = process.platform } = options;
  const rows = [
    nodeRow(),
    platformRow(platform),
    ok("cliprpn", `${version} (${packageRoot})`),
    await fontsRow(),
  ];
  if (platform !== "win32") {
    rows.push(...(await cacheRows(env)));
    const userPython = options.python || env.CLIPRPN_PYTHON;
    rows.push(
      ...(userPython
        ? await interpreterRows(
            "your Python",
            userPython,
            { ...options, keepPythonPath: true },
            options.startWorker,
          )
        : await environmentRows(options)),
    );
  }
  return { ok: rows.every(({ state }) => state === "ok"), rows };
}

function nodeRow(): DoctorRow {
  const node = process.versions.node;
  return atLeast(node, [20, 19]) ? ok("Node", node) : broken("Node", node, "install Node 20.19 or newer");
}

function platformRow(platform: NodeJS.Platform): DoctorRow {
  const found = `${platform} ${process.arch}`;
  return platform === "win32"
    ? broken("platform", found, "run cliprpn in WSL2 (`wsl --install`)")
    : ok("platform", found);
}

/** Text in images and charts needs the font, and images need sharp's binary for this platform. */
async function fontsRow(): Promise<DoctorRow> {
  try {
    const font = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");
    await access(font);
    await loadSharp();
    return ok("images, fonts", "sharp, DejaVu Sans");
  } catch (error) {
    const advice =
      error instanceof CliprpnError ? "set TMPDIR as described" : "run `npm ci` again, on this machine";
    return broken("images, fonts", firstLine(error), advice);
  }
}

/** The own cache, and the shared one if there is one. */
async function cacheRows(env: NodeJS.ProcessEnv): Promise<DoctorRow[]> {
  try {
    const { own, shared, isTemporary } = cacheFolders(env);
    const sharedRow = shared === undefined ? [] : [ok("shared cache", `${shared} (only read)`)];
    if (!isTemporary) return [...sharedRow, await cacheRow(own)];
    return [
      ...sharedRow,
      broken("cache", "none that can be written", "set CLIPRPN_CACHE to a folder that you can write to"),
    ];
  } catch (error) {
    return [broken("cache", firstLine(error), "set CLIPRPN_CACHE to a folder that you can write to")];
  }
}

async function cacheRow(cache: string): Promise<DoctorRow> {
  const { existing, free_bytes } = await diskOf(cache);
  const found = `${cache} (${formatBytes(free_bytes)} free)`;
  try {
    await access(existing, constants.W_OK);
    return ok("cache", found);
  } catch {
    return broken(
      "cache",
      `${found}; ${existing} is not writable`,
      "set CLIPRPN_CACHE to a folder that you can write to",
    );
  }
}

/** Rows about our own environment or, before it is built, about what building it needs. */
async function environmentRows(options: DoctorOptions): Promise<DoctorRow[]> {
  const { env, lockDir } = options;
  const folders = cacheFolders(env);
  const cache = folders.own;
  const torchBackend = chosenTorch(undefined, folders, env);
  const spec = environmentSpec("runtime", cache, torchBackend, lockDir);
  const ready = findReady(spec, folders.shared);
  if (ready !== undefined) {
    const { folder, python } = ready;
    const run = { ...options, extraModulePath: extraModulePath(folder, cache, lockDir) };
    return interpreterRows("Python packages", python, run, options.startWorker, { folder, torchBackend });
  }
  const { download_bytes, disk_bytes } = environmentSizes(torchBackend);
  const uv = await askUv(options);
  const rows = [ok("uv", "version" in uv ? uv.version : `${uv.problem}; cliprpn setup downloads it`)];
  const { free_bytes } = await diskOf(cache);
  if (free_bytes < disk_bytes)
    rows.push(
      broken(
        "disk",
        `${formatBytes(free_bytes)} free, about ${formatBytes(disk_bytes)} needed`,
        "free some space, or set CLIPRPN_CACHE to a folder on another disk",
      ),
    );
  try {
    const python = await findPython(options);
    rows.push(ok("Python", `${python.version} (${python.path})`));
    const { folder } = folderFor(spec, python.version);
    rows.push(
      missing(
        "Python packages",
        `${folder} does not exist`,
        `cliprpn setup (downloads about ${formatBytes(download_bytes)})`,
      ),
    );
  } catch (error) {
    rows.push(missing("Python", "no suitable version", firstLine(error)));
  }
  return rows;
}
