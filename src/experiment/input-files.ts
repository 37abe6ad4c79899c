import { accessSync, constants, existsSync, statSync } from "node:fs";

/** Describes why a path is not a readable file; undefined when it is one. */
export function describeUnreadable(path: string): string | undefined {
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
