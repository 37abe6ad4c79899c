import { createHash } from "node:crypto";
import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkDiskSpace } from "../../base/disk-space.ts";
import { withLock } from "../../base/lock.ts";
import { describeOwner, type LockOwner } from "../../base/owner-lock.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { locateAnnotations, locateImages } from "../prepare/locate.ts";
import { defaultLimits, type FailedMirror, fetchFile, type Limits } from "./fetch-file.ts";
import { checkChecksum, checkContent, diskError, hashInto } from "./part-file.ts";
import type { DownloadProgress } from "./progress.ts";
import { networkOf } from "./proxy.ts";
import { filesFor, type RemoteFile, readSources } from "./sources.ts";

export interface DownloadOptions {
  onProgress: (progress: DownloadProgress) => void;
  /** Messages for the user, one line each: a mirror that is given up, a wait. */
  onNote: (text: string) => void;
  signal: AbortSignal;
  /** Has the proxy settings. */
  env: NodeJS.ProcessEnv;
  limits?: Partial<Limits>;
  /** Free bytes on the disk of the folder. */
  free?: (folder: string) => Promise<number>;
}

export interface DatasetDownload {
  dataset: string;
  split_by: string;
  /** The folder of annotations and images; created if needed. */
  root: string;
  /** False when the images are elsewhere or not wanted. */
  needsImages: boolean;
  /** A file with other sources than those that come with cliprpn. */
  sources_file: string | undefined;
}

/** Downloads what is missing of a published dataset into its folder. @throws CliprpnError no_network, no_space. */
export async function downloadDataset(
  { dataset, split_by, root, needsImages, sources_file }: DatasetDownload,
  options: DownloadOptions,
): Promise<void> {
  const hasAnnotations = isFound(() => locateAnnotations(root, dataset, split_by));
  const hasImages = !needsImages || isFound(() => locateImages(root));
  const files = filesFor(dataset, await readSources(sources_file)).filter(
    ({ name }) => !(name === `${dataset}.zip` ? hasAnnotations : hasImages),
  );
  await download(files, root, options);
}

function isFound(locate: () => unknown): boolean {
  try {
    locate();
    return true;
  } catch (error) {
    if (error instanceof CliprpnError && error.code === "not_found") return false;
    throw error;
  }
}

/**
 * Downloads files that are missing from a folder. A file gets its name only when it is complete; a process killed at any
 * byte leaves a `.part` file that the same call resumes. A file that no mirror sends does not stop the others.
 *
 * @throws CliprpnError no_space, before anything is fetched; no_network, with every failed mirror and the manual steps; the
 *   signal's reason.
 */
export async function download(files: RemoteFile[], folder: string, options: DownloadOptions): Promise<void> {
  const { onProgress, onNote } = options;
  const network = networkOf(options.env);
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw diskError(folder, error);
  });
  const work = withFolderLock(folder, options, async (signal) => {
    const missing = await findMissing(folder, files, options, signal);
    if (missing.length === 0) return;
    const checkSpace = (needed_bytes: number): Promise<void> =>
      checkDiskSpace(
        { folder, needed_bytes, what: "the files to download", advice: "choose a folder on another disk" },
        options.free,
      );
    await checkSpace(await bytesToFetch(folder, missing));
    const limits = { ...defaultLimits, ...options.limits };
    const failures: Failure[] = [];
    for (const file of missing) {
      const mirrors = await fetchFile(folder, file, {
        limits,
        network,
        signal,
        onProgress,
        onNote,
        checkSpace,
      });
      if (mirrors === undefined) await recordVerified(folder, file);
      else failures.push({ file, mirrors });
    }
    if (failures.length > 0) throw downloadError(failures, folder);
  });
  await work.finally(() => network.dispatcher.destroy());
}

function withFolderLock(
  folder: string,
  { signal, onNote }: DownloadOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const waiting = {
    signal,
    onWait: (owner: LockOwner) =>
      onNote(
        `${folder}: another process is downloading into this folder; waiting for it: ${describeOwner(owner)}`,
      ),
    lost: () =>
      new CliprpnError(
        "locked",
        `${folder}: another process took over this folder while this one was suspended; re-run the same command to resume`,
      ),
    failed: (error: unknown) => diskError(folder, error),
  };
  return withLock(join(folder, "downloads"), waiting, work);
}

async function findMissing(
  folder: string,
  files: RemoteFile[],
  { onNote }: DownloadOptions,
  signal: AbortSignal,
): Promise<RemoteFile[]> {
  const missing: RemoteFile[] = [];
  for (const file of files) {
    const path = join(folder, file.name);
    const problem = await findProblem(folder, file, signal);
    signal.throwIfAborted();
    if (problem === undefined) await rm(`${path}.part.json`, { force: true });
    else missing.push(file);
    if (problem !== undefined && (await sizeOf(path)) > 0)
      onNote(
        `${path}: ${problem}; downloading it again; the old file is replaced when the download is complete`,
      );
    if (problem !== undefined && file.checksum === null)
      onNote(
        `${file.name}: no checksum was published; \`prepare\` verifies the file by the dataset's counts`,
      );
  }
  return missing;
}

/**
 * The reason why the file in the folder is not the expected one (including a missing file); undefined if it is.
 *
 * A checksum of 13 GB is computed once: `downloads.json` records the files that were verified.
 */
async function findProblem(
  folder: string,
  file: RemoteFile,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = join(folder, file.name);
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return "the file is missing";
  if (!stats.isFile()) return "it is not a file";
  const problem = await checkContent(path, stats.size, file);
  if (problem !== undefined || file.checksum === null) return problem;
  const { algorithm, hex } = file.checksum;
  const current: VerifiedFile = {
    bytes: stats.size,
    mtime_ms: stats.mtimeMs,
    checksum: `${algorithm}:${hex}`,
  };
  const recorded = (await readVerified(folder))[file.name];
  if (JSON.stringify(recorded) === JSON.stringify(current)) return undefined;
  const hash = createHash(algorithm);
  await hashInto(hash, path, signal);
  const mismatch = checkChecksum(hash.digest("hex"), file);
  if (mismatch === undefined) await recordVerified(folder, file);
  return mismatch;
}

interface VerifiedFile {
  bytes: number;
  mtime_ms: number;
  checksum: string;
}

/** Records that a file was verified, so that the next run does not have to read it. */
async function recordVerified(folder: string, { name, checksum }: RemoteFile): Promise<void> {
  if (checksum === null) return;
  const { size, mtimeMs } = await stat(join(folder, name));
  const verified = await readVerified(folder);
  verified[name] = { bytes: size, mtime_ms: mtimeMs, checksum: `${checksum.algorithm}:${checksum.hex}` };
  replaceFile(join(folder, "downloads.json"), `${JSON.stringify(verified, null, 2)}\n`);
}

/** Empty when the record is missing or damaged: the files are then verified again. */
async function readVerified(folder: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, "downloads.json"), "utf8"));
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}

/** Known bytes to fetch; a file of unknown size is checked when its server reports the size. */
async function bytesToFetch(folder: string, missing: RemoteFile[]): Promise<number> {
  let needed = 0;
  for (const { name, bytes } of missing)
    needed += Math.max(0, (bytes ?? 0) - (await sizeOf(join(folder, `${name}.part`))));
  return needed;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

interface Failure {
  file: RemoteFile;
  mirrors: FailedMirror[];
}

function downloadError(failures: Failure[], folder: string): CliprpnError {
  const lines = failures.flatMap(({ file, mirrors }) => [
    `${file.name}: could not be downloaded from any mirror (${mirrors.length} tried):`,
    ...mirrors.map(({ url, reason }) => `  ${url}: ${reason}`),
    `  to get it manually: ${file.by_hand}`,
    `  then save it as ${join(folder, file.name)} and re-run the same command`,
  ]);
  return new CliprpnError("no_network", lines.join("\n"));
}
