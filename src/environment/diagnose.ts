import { access, constants } from "node:fs/promises";
import { createRequire } from "node:module";
import { diskOf } from "../base/disk-space.ts";
import { formatBytes } from "../base/format.ts";
import { packageRoot, version } from "../base/package-root.ts";
import { loadSharp } from "../base/sharp.ts";
import { cacheDir } from "./cache-dir.ts";
import { describeEnvironment, environmentFor, findReady } from "./environment.ts";
import { findPython } from "./find-python.ts";
import { broken, type Finding, firstLine, missing, ok } from "./finding.ts";
import { environmentSizes } from "./install-packages.ts";
import { interpreterRows } from "./interpreter-rows.ts";
import type { ToolRun } from "./run-tool.ts";
import { chosenTorch } from "./torch-choice.ts";
import { uvOnPath } from "./uv.ts";
import { atLeast } from "./version.ts";

export interface DoctorReport {
  ok: boolean;
  rows: Finding[];
}

export interface Patient extends ToolRun {
  python?: string | undefined;
  platform?: NodeJS.Platform;
  lockDir?: string;
}

/** Looks at everything that cliprpn needs, and changes nothing. */
export async function diagnose(patient: Patient): Promise<DoctorReport> {
  const { env, platform = process.platform } = patient;
  const rows = [
    nodeRow(),
    platformRow(platform),
    ok("cliprpn", `${version} (${packageRoot})`),
    await fontsRow(),
  ];
  if (platform !== "win32") {
    rows.push(await cacheRow(cacheDir(env)));
    const own = patient.python || env.CLIPRPN_PYTHON;
    rows.push(...(own ? await interpreterRows("your Python", own, patient) : await ownEnvironment(patient)));
  }
  return { ok: rows.every(({ state }) => state === "ok"), rows };
}

function nodeRow(): Finding {
  const node = process.versions.node;
  return atLeast(node, [20, 19]) ? ok("Node", node) : broken("Node", node, "install Node 20.19 or newer");
}

function platformRow(platform: NodeJS.Platform): Finding {
  const found = `${platform} ${process.arch}`;
  return platform === "win32"
    ? broken("platform", found, "run it in WSL2 (`wsl --install`)")
    : ok("platform", found);
}

/** Text in images and charts needs the font, and images need sharp's own binary for this platform. */
async function fontsRow(): Promise<Finding> {
  try {
    const font = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");
    await access(font);
    await loadSharp();
    return ok("images, fonts", "sharp, DejaVu Sans");
  } catch (error) {
    return broken("images, fonts", firstLine(error), "run `npm ci` again, on this machine");
  }
}

async function cacheRow(cache: string): Promise<Finding> {
  const { existing, free_bytes } = await diskOf(cache);
  const found = `${cache} (${formatBytes(free_bytes)} free)`;
  try {
    await access(existing, constants.W_OK);
    return ok("cache", found);
  } catch {
    return broken(
      "cache",
      `${found}; ${existing} cannot be written`,
      "set CLIPRPN_CACHE to a folder of yours",
    );
  }
}

/** Rows about the environment that the lock describes, or about what is needed to build it. */
async function ownEnvironment(patient: Patient): Promise<Finding[]> {
  const { env, lockDir } = patient;
  const cache = cacheDir(env);
  const torchBackend = chosenTorch(undefined, cache, env);
  const definition = describeEnvironment("runtime", cache, torchBackend, lockDir);
  const ready = findReady(definition);
  if (ready !== undefined)
    return interpreterRows("Python packages", ready.python, patient, { folder: ready.folder, torchBackend });
  const { download_bytes, disk_bytes } = environmentSizes(torchBackend);
  const uv = await uvOnPath(patient);
  const rows = [ok("uv", uv ?? "not on the PATH; setup fetches one")];
  const { free_bytes } = await diskOf(cache);
  if (free_bytes < disk_bytes)
    rows.push(
      broken(
        "disk",
        `${formatBytes(free_bytes)} free, about ${formatBytes(disk_bytes)} needed`,
        "make room, or set CLIPRPN_CACHE to a folder on another disk",
      ),
    );
  try {
    const python = await findPython(patient);
    rows.push(ok("Python", `${python.version} (${python.path})`));
    const { folder } = environmentFor(definition, python.version);
    rows.push(
      missing(
        "Python packages",
        `${folder} is not there`,
        `cliprpn setup (fetches about ${formatBytes(download_bytes)})`,
      ),
    );
  } catch (error) {
    rows.push(missing("Python", "none that can be used", firstLine(error)));
  }
  return rows;
}
