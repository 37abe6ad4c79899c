import { statfs } from "node:fs/promises";
import { formatBytes } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";

/** Stops before the work when it cannot fit. @throws CliprpnError no_space, with both figures. */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes)
    throw new CliprpnError(
      "no_space",
      `${folder}: expected ${formatBytes(bytes)} of free disk, found ${formatBytes(free)}; make room, or prepare into a folder on another disk`,
    );
}

/** What ended a write, for a person where it was a full disk. */
export function orNoSpace(error: unknown, folder: string): unknown {
  if (!(error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")))
    return error;
  return new CliprpnError(
    "no_space",
    `${folder}: the disk is full; make room and run the same command again`,
    {
      cause: error,
    },
  );
}
