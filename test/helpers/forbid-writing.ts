import { execFileSync } from "node:child_process";
import { accessSync, chmodSync, constants } from "node:fs";

/** Makes a folder read-only: by permissions or, for root, by a mount. @returns a function that undoes it. @throws if writing stays possible. */
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
