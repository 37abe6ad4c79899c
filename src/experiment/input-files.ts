import { accessSync, constants, existsSync, statSync } from "node:fs";
import { formatBytes } from "../base/format.ts";

/** Of a JSON file that a person writes: it is parsed at once. */
const maxJsonBytes = 64 * 2 ** 20;

/** Describes why a path is not a readable file; undefined when it is one. */
export function describeUnreadable(path: string): string | undefined {
  if (!existsSync(path)) return `no file ${path}`;
  const found = statSync(path);
  if (found.isDirectory()) return `a folder, ${path}`;
  if (!found.isFile()) return `a pipe or a device, ${path}; write its content to a file`;
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch {
    return `a file that cannot be read, ${path}`;
  }
}

/** Describes why a path is not a JSON file that can be read at once; undefined when it is one. */
export function describeUnreadableJson(path: string): string | undefined {
  const unreadable = describeUnreadable(path);
  if (unreadable !== undefined) return unreadable;
  const { size } = statSync(path);
  return size > maxJsonBytes
    ? `${formatBytes(size)}, more than ${formatBytes(maxJsonBytes)}, in ${path}`
    : undefined;
}

export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
