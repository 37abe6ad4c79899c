import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { formatBytes } from "./format.ts";

export interface SpaceRequest {
  folder: string;
  needed_bytes: number;
  /** The content that needs the space: "the Python packages". */
  what: string;
  /** An alternative to freeing some space, for the error message. */
  advice: string;
}

/**
 * Fails before any work when something does not fit on the disk.
 *
 * @throws CliprpnError no_space, naming the folder and both sizes.
 */
export async function checkDiskSpace(
  { folder, needed_bytes, what, advice }: SpaceRequest,
  free: (folder: string) => Promise<number> = freeBytes,
): Promise<void> {
  const free_bytes = await free(folder);
  if (free_bytes >= needed_bytes) return;
  throw new CliprpnError(
    "no_space",
    `${folder}: expected ${formatBytes(needed_bytes)} of free disk space for ${what}, found ${formatBytes(free_bytes)}; free some space, or ${advice}`,
  );
}

/** Free bytes of the disk that a folder is on. */
async function freeBytes(folder: string): Promise<number> {
  return (await diskOf(folder)).free_bytes;
}

/** The disk of a folder; for a folder that does not exist yet, of its nearest parent that does. */
export async function diskOf(
  folder: string,
): Promise<{ free_bytes: number; device: number; existing: string }> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return { free_bytes: bavail * bsize, device: (await stat(folder)).dev, existing: folder };
  } catch (error) {
    if (dirname(folder) === folder) throw error;
    return diskOf(dirname(folder));
  }
}

/** The error for the user when `cause` is a write to a full disk; undefined when it is any other error. */
export function diskFullError(
  path: string,
  cause: unknown,
  advice = "free some space and re-run the same command",
): CliprpnError | undefined {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT") return undefined;
  return new CliprpnError("no_space", `${path}: the disk is full; ${advice}`, { cause });
}
