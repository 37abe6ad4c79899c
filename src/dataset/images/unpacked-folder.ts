import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../base/replace-file.ts";

/**
 * Makes the folder for the files of one or several archives. Files left by other archives, or by earlier versions of
 * these, are removed; files in a folder without a record of its archives are kept.
 */
export function makeUnpackedFolder(archives: readonly string[], folder: string): void {
  const stamp = stampOf(archives);
  const recorded = recordedStamp(folder);
  if (recorded === stamp || (recorded === undefined && existsSync(folder))) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  replaceFile(join(folder, record), stamp);
}

const record = ".archive.json";

function stampOf(archives: readonly string[]): string {
  const stamps = archives.map((archive) => {
    const { size, mtimeMs } = statSync(archive);
    return { bytes: size, mtime_ms: mtimeMs };
  });
  return `${JSON.stringify(stamps.length === 1 ? stamps[0] : stamps)}\n`;
}

function recordedStamp(folder: string): string | undefined {
  const file = join(folder, record);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
