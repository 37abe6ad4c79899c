import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { diskFullError } from "../base/disk-space.ts";
import { CliprpnError } from "../contract/errors.ts";

/** Makes the cache. @throws CliprpnError environment_broken or no_space when it cannot be written. */
export async function makeCache(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw cacheProblem(folder, error);
  }
}

/** Why a file of the cache could not be made, and what to do. */
export function cacheProblem(path: string, cause: unknown): CliprpnError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return (
    diskFullError(path, cause, "make room, or set CLIPRPN_CACHE to a folder on another disk") ??
    new CliprpnError(
      "environment_broken",
      `${path} cannot be written (${code}): set CLIPRPN_CACHE to a folder that you can write to`,
      { cause },
    )
  );
}
