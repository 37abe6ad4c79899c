import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatBytes } from "../../base/format.ts";
import { PartFile } from "./part-file.ts";
import { type DownloadProgress, ProgressMeter } from "./progress.ts";
import type { Network } from "./proxy.ts";
import type { RemoteFile } from "./sources.ts";
import { type Transfer, transfer } from "./transfer.ts";

/** Timeouts and retries of a download. */
export interface Limits {
  /** A mirror that sends nothing for this long is treated as hanging. */
  stall_ms: number;
  /** Tries of one mirror in a row without progress. A mirror that keeps sending new bytes may break off any number of times. */
  num_tries: number;
  /** Wait before the second try; doubled for each further try. */
  first_wait_ms: number;
  /** A server that asks for a longer wait (Retry-After) is given up for the next mirror. */
  max_wait_ms: number;
}

export const defaultLimits: Limits = {
  stall_ms: 30_000,
  num_tries: 4,
  first_wait_ms: 1000,
  max_wait_ms: 120_000,
};

/** A mirror that did not send the file, and why. */
export interface FailedMirror {
  url: string;
  reason: string;
}

export interface FetchOptions {
  limits: Limits;
  network: Network;
  signal: AbortSignal;
  onProgress: (progress: DownloadProgress) => void;
  onNote: (text: string) => void;
  /** @throws when the disk has no space for this number of further bytes. */
  checkSpace: (bytes: number) => Promise<void>;
}

/**
 * Fetches a file from the first mirror that sends all of it, resuming an earlier run.
 *
 * @returns the mirrors with their failures when every mirror failed; undefined on success.
 */
export async function fetchFile(
  folder: string,
  file: RemoteFile,
  options: FetchOptions,
): Promise<FailedMirror[] | undefined> {
  const part = await PartFile.open(join(folder, `${file.name}.part`), file, options.signal);
  try {
    if (part.size > 0) options.onNote(`${file.name}: resuming after ${formatBytes(part.size)}`);
    if (!(await isComplete(part, file, options))) {
      const failed = await fromMirrors(file, part, options);
      if (failed !== undefined) return failed;
    }
    await part.moveTo(join(folder, file.name));
    return undefined;
  } finally {
    await part.close();
  }
}

/** True if an earlier run fetched all bytes and was stopped before it renamed the file. */
async function isComplete(part: PartFile, file: RemoteFile, { onNote }: FetchOptions): Promise<boolean> {
  if (part.size !== file.bytes) return false;
  const problem = await part.verify();
  if (problem === undefined) return true;
  onNote(`${file.name}: ${problem}; starting over`);
  await part.startOver();
  return false;
}

async function fromMirrors(
  file: RemoteFile,
  part: PartFile,
  options: FetchOptions,
): Promise<FailedMirror[] | undefined> {
  const failed: FailedMirror[] = [];
  for (const url of file.urls) {
    const reason = await fromMirror(url, file, part, options);
    if (reason === undefined) return undefined;
    options.onNote(`${file.name}: giving up on ${new URL(url).host}: ${reason}`);
    failed.push({ url, reason });
  }
  return failed;
}

/** @returns why this mirror is given up; undefined when the part file is complete. */
async function fromMirror(
  url: string,
  file: RemoteFile,
  part: PartFile,
  { limits, network, signal, onNote, onProgress, checkSpace }: FetchOptions,
): Promise<string | undefined> {
  const { host } = new URL(url);
  const meter = new ProgressMeter(file.name, part.size, performance.now());
  let reported_ms = 0;
  let hasSent = false;
  const onBytes = (total: number | undefined): void => {
    hasSent = true;
    const now_ms = performance.now();
    if (now_ms - reported_ms < reportEveryMs && part.size !== total) return;
    reported_ms = now_ms;
    onProgress(meter.at(now_ms, part.size, total));
  };
  let mostBytes = part.size;
  for (let tries = 1; ; tries += 1) {
    const result = await transfer(url, file, part, {
      ...{ stall_ms: limits.stall_ms, network, signal, onBytes, onSize: checkSpace },
      onStartOver: (reason) => onNote(`${file.name}: ${host}: ${reason}; starting over`),
    });
    if (result.state === "complete") {
      const problem = await part.verify();
      if (problem === undefined) return undefined;
      const { inherited } = part;
      await part.startOver();
      // This mirror's bytes may be correct, and the inherited ones wrong.
      if (!inherited) return problem;
      onNote(`${file.name}: ${problem}; starting over`);
      continue;
    }
    if (part.size >= mostBytes + newBytesForRetry) {
      mostBytes = part.size;
      tries = 1;
    }
    const next = nextStep(result, tries, hasSent, limits);
    if ("reason" in next) return next.reason;
    if (next.wait_ms === 0) continue;
    const wait = `${Math.ceil(next.wait_ms / 1000)} s`;
    onNote(`${file.name}: ${host}: ${result.reason}; retrying in ${wait}`);
    await pause(next.wait_ms, signal);
  }
}

const reportEveryMs = 200;

/** A mirror that has sent this much more than ever before gets all its tries again. */
const newBytesForRetry = 1 << 20;

/** Retries after a wait, or gives up the mirror. @param hasSent whether the mirror sent bytes in this run. */
function nextStep(
  result: Exclude<Transfer, { state: "complete" }>,
  tries: number,
  hasSent: boolean,
  limits: Limits,
): { wait_ms: number } | { reason: string } {
  const { reason } = result;
  if (result.state === "refused" || (result.state === "unreachable" && !hasSent)) return { reason };
  if (tries >= limits.num_tries) return { reason: `${reason}, after ${tries} tries` };
  const requested_ms = result.state === "broke_off" ? result.wait_ms : undefined;
  const wait_ms = requested_ms ?? Math.min(limits.max_wait_ms, limits.first_wait_ms * 2 ** (tries - 1));
  if (wait_ms <= limits.max_wait_ms) return { wait_ms };
  return { reason: `${reason} and asks to wait ${Math.ceil(wait_ms / 1000)} s` };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
