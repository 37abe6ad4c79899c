import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkDiskSpace } from "../../base/disk-space.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { diskError } from "./disk.ts";
import { type DeadMirror, fetchFile } from "./fetch-file.ts";
import { withFolder } from "./folder-lock.ts";
import { type Limits, usualLimits } from "./limits.ts";
import type { DownloadProgress } from "./progress.ts";
import type { SourceFile } from "./source-file.ts";
import { problemOf, remember } from "./whole.ts";

export interface DownloadOptions {
  onProgress: (progress: DownloadProgress) => void;
  /** What a person may want to know, a line each: a mirror that is given up, a wait. */
  onNote: (text: string) => void;
  signal: AbortSignal;
  limits?: Partial<Limits>;
  /** Free bytes of the disk that the folder lies on. */
  free?: (folder: string) => Promise<number>;
}

/**
 * Fetches what is missing of some files into a folder. A file has its name only when it is whole; a kill at any byte leaves a
 * `.part` that the same call goes on with. Further files are fetched though one has no mirror that gives it.
 *
 * @throws CliprpnError no_space, before anything is fetched; no_network, with every dead mirror and what to do by hand; the
 *   signal's reason.
 */
export async function download(files: SourceFile[], folder: string, options: DownloadOptions): Promise<void> {
  const { onProgress, onNote } = options;
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw diskError(folder, error);
  });
  const onWait = (): void => onNote(`${folder}: another process fetches into it; waiting until it is done`);
  await withFolder(folder, { signal: options.signal, onWait }, async (signal) => {
    const missing = await findMissing(folder, files, options, signal);
    if (missing.length === 0) return;
    const makeSure = (needed_bytes: number): Promise<void> =>
      checkDiskSpace(
        { folder, needed_bytes, what: "the files to download", advice: "choose a folder on another disk" },
        options.free,
      );
    await makeSure(await bytesToFetch(folder, missing));
    const limits = { ...usualLimits, ...options.limits };
    const failed: Failed[] = [];
    for (const file of missing) {
      const mirrors = await fetchFile(folder, file, { limits, signal, onProgress, onNote, makeSure });
      if (mirrors === undefined) await remember(folder, file);
      else failed.push({ file, mirrors });
    }
    if (failed.length > 0) throw allDead(failed, folder);
  });
}

interface Failed {
  file: SourceFile;
  mirrors: DeadMirror[];
}

async function findMissing(
  folder: string,
  files: SourceFile[],
  { onNote }: DownloadOptions,
  signal: AbortSignal,
): Promise<SourceFile[]> {
  const missing: SourceFile[] = [];
  for (const file of files) {
    const path = join(folder, file.name);
    const problem = await problemOf(folder, file, signal);
    signal.throwIfAborted();
    if (problem === undefined) await rm(`${path}.part.json`, { force: true });
    else missing.push(file);
    if (problem !== undefined && (await sizeOf(path)) > 0)
      onNote(`${path}: ${problem}; it is fetched again, and replaced when that is done`);
    if (problem !== undefined && file.checksum === null)
      onNote(
        `${file.name}: nobody published its checksum; the data set's counts will show whether it is right`,
      );
  }
  return missing;
}

/** What is known of it: a file of unknown size counts when its server has told it. */
async function bytesToFetch(folder: string, missing: SourceFile[]): Promise<number> {
  let needed = 0;
  for (const { name, bytes } of missing)
    needed += Math.max(0, (bytes ?? 0) - (await sizeOf(join(folder, `${name}.part`))));
  return needed;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function allDead(failed: Failed[], folder: string): CliprpnError {
  const lines = failed.flatMap(({ file, mirrors }) => [
    `${file.name}: none of its ${mirrors.length} mirrors gave it:`,
    ...mirrors.map(({ url, reason }) => `  ${url}: ${reason}`),
    `  by hand: ${file.by_hand}`,
    `  then put it here and run the same command again: ${join(folder, file.name)}`,
  ]);
  return new CliprpnError("no_network", lines.join("\n"));
}
