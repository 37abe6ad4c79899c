import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package's `package.json`, for code in `src/`, in `dist/` and in an installed tarball. */
export const packageRoot: string = findUp(dirname(fileURLToPath(import.meta.url)));

function findUp(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder)
    throw new Error("expected the package.json of cliprpn in a parent folder, found none; reinstall cliprpn");
  return findUp(parent);
}

/** This package's version. */
export const version: string = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")).version;
