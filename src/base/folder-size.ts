import { lstatSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "./files.ts";

/** Bytes of a file, or of all files in a folder; 0 if it is gone. Links are not followed. */
export function sizeOf(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.size;
  return namesIn(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
