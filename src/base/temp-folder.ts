import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { diskFullError } from "./disk-space.ts";
import { errorCode } from "./files.ts";

/**
 * Makes a folder that is removed when this process ends. Everyone may write to the directory for temporary files, so the name
 * is random, which nobody can occupy before, and only the user has access.
 *
 * @throws CliprpnError environment_broken or no_space when the directory for temporary files cannot be written.
 */
export function makeTempFolder(): string {
  const parent = tmpdir();
  let folder: string;
  try {
    folder = mkdtempSync(join(parent, "cliprpn-"));
  } catch (error) {
    throw (
      diskFullError(parent, error, "free some space, or set TMPDIR to a folder on another disk") ??
      new CliprpnError(
        "environment_broken",
        `${parent}: expected a writable folder for temporary files, found ${errorCode(error)}; set TMPDIR to a folder that you can write to`,
        { cause: error },
      )
    );
  }
  if (folders.size === 0) process.on("exit", removeAll);
  folders.add(folder);
  return folder;
}

/** Removes a folder that is no longer needed before the process ends. */
export function removeTempFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
  if (folders.size === 0) process.off("exit", removeAll);
}

const folders = new Set<string>();

function removeAll(): void {
  for (const folder of folders)
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // It stays in the directory for temporary files, which the system cleans.
    }
}
