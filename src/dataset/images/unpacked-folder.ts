import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";

/**
 * Makes the folder that an archive's files go to. What another archive, or an earlier one of its name, left there is removed;
 * files that no archive is known to have left stay.
 */
export function makeUnpackedFolder(archive: string, folder: string): void {
  const { size, mtimeMs } = statSync(archive);
  const stamp = `${JSON.stringify({ bytes: size, mtime_ms: mtimeMs })}\n`;
  const file = join(folder, ".archive.json");
  const known = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  if (known === stamp || (known === undefined && existsSync(folder))) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileAtomic.sync(file, stamp);
}
