import type { Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, statfs } from "node:fs/promises";
import { formatBytes } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";

/** Free bytes of the disk that a folder lies on. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** @throws CliprpnError no_space, naming the folder and both figures. */
export function checkRoom(folder: string, free: number, needed: number): void {
  if (free >= needed) return;
  throw new CliprpnError(
    "no_space",
    `${folder}: ${formatBytes(needed)} are still to be fetched, ${formatBytes(free)} are free; make room, or choose a folder on another disk`,
  );
}

/** Reads a file of any size through a hash. @throws the signal's reason; CliprpnError bad_input, when it cannot be read. */
export async function readInto(hash: Hash, path: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk);
  } catch (error) {
    signal.throwIfAborted();
    throw new CliprpnError("bad_input", `${path}: cannot be read (${codeOf(error)}); mend or remove it`, {
      cause: error,
    });
  }
}

/** What a failed write means for a person. */
export function diskError(path: string, error: unknown): CliprpnError {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new CliprpnError(
      "no_space",
      `${path}: the disk is full; make room and run the same command again, it goes on where it stopped`,
      { cause: error },
    );
  return new CliprpnError("bad_input", `${path}: cannot be written (${code}); choose another folder`, {
    cause: error,
  });
}

/** Makes a rename in the folder last through a power cut; Windows has no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
