import { execFileSync } from "node:child_process";
import { accessSync, chmodSync, constants, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** False where no folder can be made read-only: root ignores permissions, and a container may not mount. */
export const canBeReadOnly = tryOnce();

/** Makes a folder read-only until the end of the test: by permissions or, for root, by a mount. */
export function makeReadOnly(folder: string): void {
  const undo = forbidWriting(folder);
  onTestFinished(undo);
}

/** @returns a function that undoes it. @throws if writing stays possible. */
export function forbidWriting(folder: string): () => void {
  const undo = process.getuid?.() === 0 ? mountReadOnly(folder) : removePermission(folder);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return undo;
  }
  undo();
  throw new Error(`${folder} stays writable`);
}

function mountReadOnly(folder: string): () => void {
  const mount = (...args: string[]): void => void execFileSync("mount", args, { stdio: "ignore" });
  mount("--bind", folder, folder);
  mount("-o", "remount,bind,ro", folder);
  return () => void execFileSync("umount", ["-l", folder], { stdio: "ignore" });
}

function removePermission(folder: string): () => void {
  chmodSync(folder, 0o555);
  return () => chmodSync(folder, 0o755);
}

function tryOnce(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-test-"));
  try {
    forbidWriting(folder)();
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}
