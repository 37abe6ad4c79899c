import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { readOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { TrialStore } from "../store/trial-store.ts";

export interface LogRequest {
  trial: TrialStore;
  /** The newest one by default. */
  attempt: number | undefined;
  /** Also what is written until the attempt ends. */
  follow: boolean;
}

/**
 * Passes on the log of an attempt.
 *
 * @param write receives its parts, in order.
 * @throws CliprpnError not_found; the signal's reason.
 */
export async function followLog(
  { trial, attempt = trial.attempts().at(-1), follow }: LogRequest,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (attempt === undefined)
    throw new CliprpnError(
      "not_found",
      `${trial.folder}: expected an attempt, found none; it has not started yet`,
    );
  const { logFile, folder } = trial.attempt(attempt);
  if (!existsSync(folder))
    throw new CliprpnError(
      "not_found",
      `${folder}: expected an attempt, found none; there are ${trial.attempts().join(", ") || "none"}`,
    );
  const decoder = new StringDecoder("utf8");
  const buffer = Buffer.alloc(64 * 1024);
  let position = 0;
  for (;;) {
    // What is written before the end is read after it.
    const isRunning = trial.outcome(attempt) === undefined && readOwner(trial.claimFolder) !== undefined;
    position = readFrom(logFile, position, buffer, (part) => write(decoder.write(part)));
    if (!follow || !isRunning) break;
    await sleep(pollMs, undefined, { signal });
  }
  write(decoder.end());
}

const pollMs = 200;

/** Reads a file to its end. @returns the new position. */
function readFrom(file: string, start: number, buffer: Buffer, take: (part: Buffer) => void): number {
  if (!existsSync(file)) return start; // Nothing was written yet.
  const fd = openSync(file, "r");
  try {
    let position = start;
    for (;;) {
      const length = readSync(fd, buffer, 0, buffer.length, position);
      if (length === 0) return position;
      take(buffer.subarray(0, length));
      position += length;
    }
  } finally {
    closeSync(fd);
  }
}
