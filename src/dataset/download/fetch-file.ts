import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatBytes } from "../../base/format.ts";
import type { Limits } from "./limits.ts";
import { PartFile } from "./part-file.ts";
import { type DownloadProgress, ProgressMeter } from "./progress.ts";
import type { SourceFile } from "./source-file.ts";
import { type Transfer, transfer } from "./transfer.ts";

/** Why a mirror did not give the file. */
export interface DeadMirror {
  url: string;
  reason: string;
}

export interface FetchOptions {
  limits: Limits;
  signal: AbortSignal;
  onProgress: (progress: DownloadProgress) => void;
  onNote: (text: string) => void;
  /** @throws when there is no room for so many further bytes. */
  makeSure: (bytes: number) => Promise<void>;
}

/**
 * Fetches one file from the first of its mirrors that gives it whole, going on where an earlier run stopped.
 *
 * @returns the mirrors and what was wrong with each, when none gave it.
 */
export async function fetchFile(
  folder: string,
  file: SourceFile,
  options: FetchOptions,
): Promise<DeadMirror[] | undefined> {
  const part = await PartFile.open(join(folder, `${file.name}.part`), file, options.signal);
  try {
    if (part.size > 0) options.onNote(`${file.name}: going on after ${formatBytes(part.size)} from before`);
    if (!(await isWhole(part, file, options))) {
      const dead = await fromMirrors(file, part, options);
      if (dead !== undefined) return dead;
    }
    await part.moveTo(join(folder, file.name));
    return undefined;
  } finally {
    await part.close();
  }
}

/** Whether an earlier run had fetched everything; it may have ended before it gave the file its name. */
async function isWhole(part: PartFile, file: SourceFile, { onNote }: FetchOptions): Promise<boolean> {
  if (part.size !== file.bytes) return false;
  const problem = await part.problem();
  if (problem === undefined) return true;
  onNote(`${file.name}: ${problem}; starting over`);
  await part.startOver();
  return false;
}

async function fromMirrors(
  file: SourceFile,
  part: PartFile,
  options: FetchOptions,
): Promise<DeadMirror[] | undefined> {
  const dead: DeadMirror[] = [];
  for (const url of file.urls) {
    const reason = await fromMirror(url, file, part, options);
    if (reason === undefined) return undefined;
    options.onNote(`${file.name}: ${new URL(url).host} is given up: ${reason}`);
    dead.push({ url, reason });
  }
  return dead;
}

/** @returns why this mirror is given up; undefined when the part is the whole file now. */
async function fromMirror(
  url: string,
  file: SourceFile,
  part: PartFile,
  options: FetchOptions,
): Promise<string | undefined> {
  const { limits, signal, onNote } = options;
  const { host } = new URL(url);
  const meter = new ProgressMeter(file.name, part.size, performance.now());
  let told_ms = 0;
  let gave = false;
  const onBytes = (total: number | undefined): void => {
    gave = true;
    const now_ms = performance.now();
    if (now_ms - told_ms < progressEveryMs && part.size !== total) return;
    told_ms = now_ms;
    options.onProgress(meter.at(now_ms, part.size, total));
  };
  let furthest = part.size;
  for (let tries = 1; ; tries += 1) {
    const ended = await transfer(url, file, part, {
      ...{ limits, signal, onBytes, onSize: options.makeSure },
      onStartOver: (reason) => onNote(`${file.name}: ${host}: ${reason}; starting over`),
    });
    if (ended.state === "complete") {
      const problem = await part.problem();
      if (problem === undefined) return undefined;
      const { inherited } = part;
      await part.startOver();
      // Its own bytes may be right, and those from before wrong.
      if (!inherited) return problem;
      onNote(`${file.name}: ${problem}; starting over`);
      continue;
    }
    if (part.size >= furthest + newsBytes) {
      furthest = part.size;
      tries = 1;
    }
    const next = whatNext(ended, tries, gave, limits);
    if ("reason" in next) return next.reason;
    if (next.wait_ms === 0) continue;
    const wait = `${Math.ceil(next.wait_ms / 1000)} s`;
    onNote(`${file.name}: ${host}: ${ended.reason}; asking again in ${wait}`);
    await pause(next.wait_ms, signal);
  }
}

const progressEveryMs = 200;

/** So much further than ever before is news of a mirror: it may break off again. */
const newsBytes = 1 << 20;

/** Asks again after a wait, or gives the mirror up. @param gave it sent bytes in this run. */
function whatNext(
  ended: Exclude<Transfer, { state: "complete" }>,
  tries: number,
  gave: boolean,
  limits: Limits,
): { wait_ms: number } | { reason: string } {
  const { reason } = ended;
  if (ended.state === "refused" || (ended.state === "unreachable" && !gave)) return { reason };
  if (tries >= limits.num_tries) return { reason: `${reason}, the last of ${tries} tries` };
  const asked_ms = ended.state === "broke_off" ? ended.wait_ms : undefined;
  const wait_ms = asked_ms ?? Math.min(limits.max_wait_ms, limits.first_wait_ms * 2 ** (tries - 1));
  if (wait_ms <= limits.max_wait_ms) return { wait_ms };
  return { reason: `${reason} and asks to wait for ${Math.ceil(wait_ms / 1000)} s` };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
