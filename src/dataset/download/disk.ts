import type { Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { diskFullError } from "../../base/disk-space.ts";
import { CliprpnError } from "../../contract/errors.ts";

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
  return (
    diskFullError(path, error, "make room and re-run the same command to resume") ??
    new CliprpnError("bad_input", `${path}: cannot be written (${codeOf(error)}); choose another folder`, {
      cause: error,
    })
  );
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
