import { accessSync, constants, existsSync, statSync } from "node:fs";

/** Why a path is no file to read, in words; undefined when it is one. */
export function unfitFile(path: string): string | undefined {
  if (!existsSync(path)) return `no file ${path}`;
  if (!statSync(path).isFile()) return `a folder, ${path}`;
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch {
    return `a file that cannot be read, ${path}`;
  }
}

export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
