import { setTimeout as sleep } from "node:timers/promises";
import { createLockFile } from "./create-lock-file.ts";
import { quoteForShell } from "./format.ts";
import { type HeldOptions, OwnerLock } from "./held-lock.ts";
import {
  describeOwner,
  type LockFile,
  type LockOwner,
  lockState,
  ownerLine,
  readLockFile,
} from "./lock-file.ts";
import { thisProcess } from "./process-identity.ts";

export { describeOwner, type LockOwner, OwnerLock };

export interface OwnerLockOptions extends HeldOptions {
  /** The command line shown to others; this process's by default. */
  command?: string;
}

export interface AcquireOptions extends OwnerLockOptions {
  signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock, which may last for hours. */
  onWait?: ((owner: LockOwner) => void) | undefined;
  /** Maximum time to wait for the other process; no limit by default, 0 to not wait at all. */
  maxWaitMs?: number;
  /** How long the file of an owner on another machine must stay unchanged before its lock is taken over. */
  watchMs?: number;
}

/**
 * Takes a lock that one process at a time can hold. The lock is a folder of numbered files, of which the highest counts:
 * a process takes the lock by creating the next number, which only one can, and then removes the lower ones.
 *
 * The lock of a process of this machine that died is taken over at once, that of a live one never. Of a process on another
 * machine (or in a container, or with a damaged file), it is taken over when the file does not change for `watchMs`.
 *
 * @param folder created if missing; it stays after the release.
 * @throws an error that `isHeldBy` recognizes, after `maxWaitMs`; the signal's reason; an error of the file system.
 */
export async function acquireOwnerLock(
  folder: string,
  { signal, onWait, maxWaitMs = Number.POSITIVE_INFINITY, watchMs = 30_000, ...options }: AcquireOptions,
): Promise<OwnerLock> {
  const started = performance.now();
  const watch = new Watch();
  let pollMs = minPollMs;
  for (let hasWaited = false; ; ) {
    signal?.throwIfAborted();
    const file = readLockFile(folder);
    if (file === undefined || isFree(file, watch, watchMs)) {
      const lock = takeNumber(folder, (file?.number ?? 0) + 1, options);
      if (lock !== undefined) return lock;
      continue; // Another process was faster.
    }
    const remainingMs = maxWaitMs - (performance.now() - started);
    if (remainingMs <= 0) throw new LockHeldError(folder, file.owner);
    if (!hasWaited) onWait?.(file.owner);
    hasWaited = true;
    // Aborted: the signal's reason is thrown above.
    await sleep(Math.min(pollMs, remainingMs), undefined, { signal }).catch(() => undefined);
    pollMs = Math.min(2 * pollMs, maxPollMs);
  }
}

/** Takes the lock, or returns at once who has it. */
export async function tryOwnerLock(
  folder: string,
  options: OwnerLockOptions,
): Promise<OwnerLock | LockOwner> {
  try {
    return await acquireOwnerLock(folder, { ...options, maxWaitMs: 0 });
  } catch (error) {
    if (isHeldBy(error)) return error.owner;
    throw error;
  }
}

/** Who holds the lock, as far as one can tell at once: an owner on another machine counts until its lock is taken over. */
export function readOwner(folder: string): LockOwner | undefined {
  const file = readLockFile(folder);
  return lockState(file) === "free" ? undefined : file?.owner;
}

/** Thrown when another process holds the lock. */
export class LockHeldError extends Error {
  override readonly name = "LockHeldError";
  readonly owner: LockOwner;

  constructor(folder: string, owner: LockOwner) {
    super(`${folder}: the lock is held by ${describeOwner(owner)}`);
    this.owner = owner;
  }
}

/** True if a lock could not be taken because another process holds it. */
export function isHeldBy(error: unknown): error is LockHeldError {
  return error instanceof LockHeldError;
}

const minPollMs = 20;
const maxPollMs = 200;

function isFree(file: LockFile, watch: Watch, watchMs: number): boolean {
  const state = lockState(file);
  return state === "free" || (state === "unknown" && watch.unchangedMs(file) >= watchMs);
}

const maxGapMs = 1_000;

/** Measures for how long a file stays the same while this process is looking, by the monotonic clock. */
class Watch {
  #version = "";
  #unchangedMs = 0;
  #lookedAt = 0;

  unchangedMs({ number, version }: LockFile): number {
    const now = performance.now();
    // In a longer gap this process was suspended, maybe together with the owner.
    const passedMs = Math.min(now - this.#lookedAt, maxGapMs);
    const isSame = this.#version === `${number} ${version}`;
    this.#unchangedMs = isSame ? this.#unchangedMs + passedMs : 0;
    this.#version = `${number} ${version}`;
    this.#lookedAt = now;
    return this.#unchangedMs;
  }
}

/** Takes the lock by creating the file with this number. @returns undefined when another process was faster. */
function takeNumber(
  folder: string,
  number: number,
  { command = commandLine(), ...options }: OwnerLockOptions,
): OwnerLock | undefined {
  const line = ownerLine({ ...thisProcess(), command, taken_at: new Date().toISOString() });
  const file = createLockFile(folder, number, line);
  if (file === undefined) return undefined;
  return new OwnerLock({ folder, number, file, offset: Buffer.byteLength(line) }, options);
}

function commandLine(): string {
  return `cliprpn ${process.argv.slice(2).map(quoteForShell).join(" ")}`.slice(0, 500);
}
