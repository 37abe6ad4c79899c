import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { packageRoot } from "../base/package-root.ts";
import type { ExtraName } from "./extra-packages.ts";
import { withoutPackagesOf } from "./lock-blocks.ts";

/** An extra of an environment: a folder of packages beside its own, so that these, torch among them, stay as they are. */
export interface ExtraFolder {
  name: ExtraName;
  /** What it holds: its lock without what the environment has already. */
  lock: string;
  /** Where that is written for uv. */
  lockFile: string;
  /** Where its packages go; another lock's go elsewhere. */
  packages: string;
  /** Python's own way to a further folder of packages; written last, so without it an extra is half made. */
  pathFile: string;
}

/** Where an extra of the environment in `folder` is, or will be. */
export function describeExtra(
  name: ExtraName,
  folder: string,
  lockDir: string = join(packageRoot, "env"),
): ExtraFolder {
  const [own, runtime] = [`extra-${name}`, "runtime"].map((file) =>
    readFileSync(join(lockDir, `${file}.txt`), "utf8"),
  );
  const lock = withoutPackagesOf(runtime ?? "", own ?? "");
  const hash = createHash("sha256").update(lock).digest("hex").slice(0, 16);
  const lib = join(folder, "lib");
  const python = readdirSync(lib).find((entry) => entry.startsWith("python")) ?? "python3";
  return {
    name,
    lock,
    lockFile: join(folder, `extra-${name}.txt`),
    packages: join(folder, `extra-${name}-${hash}`),
    pathFile: join(lib, python, "site-packages", `cliprpn-extra-${name}.pth`),
  };
}

/** Whether it was installed to its end from this very lock; no process is started to know that. */
export function isInstalled(extra: ExtraFolder): boolean {
  const { packages, pathFile } = extra;
  return existsSync(packages) && existsSync(pathFile) && readFileSync(pathFile, "utf8") === pathLine(extra);
}

export async function markInstalled(extra: ExtraFolder): Promise<void> {
  await writeFileAtomic(extra.pathFile, pathLine(extra));
}

/** As seen from `lib/python3.x/site-packages`: a path of ASCII letters, whatever the cache's is. */
function pathLine({ packages }: ExtraFolder): string {
  return `../../../${packages.split("/").at(-1)}\n`;
}
