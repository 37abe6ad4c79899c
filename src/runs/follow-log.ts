import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { readOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { SweepsThatRun } from "./sweeps-that-run.ts";

export interface LogRequest {
  trial: TrialStore;
  /** The newest one by default. */
  attempt: number | undefined;
  /**
   * Also what is written until the attempt ends; without a number, until the trial ends: before its first attempt, and between two,
   * while a sweep is going to run it.
   */
  follow: boolean;
}

/** Receives a log. */
export interface LogReader {
  /** Parts of a log, in order. */
  write: (text: string) => void;
  /** What is not in the log, such as the beginning of another attempt. */
  note: (line: string) => void;
}

/**
 * Passes on the log of an attempt.
 *
 * @throws CliprpnError not_found; the signal's reason.
 */
export async function followLog(
  { trial, attempt, follow }: LogRequest,
  reader: LogReader,
  signal: AbortSignal,
): Promise<void> {
  if (attempt !== undefined) return passOn(trial, attempt, follow, reader, signal);
  const sweeps = new SweepsThatRun(trial);
  let number = trial.attempts().at(-1);
  if (number === undefined) {
    const sweep = sweeps.find();
    const problem = `${trial.trial_id}: expected an attempt, found none; the trial has not started yet`;
    if (sweep === undefined) throw new CliprpnError("not_found", problem);
    if (!follow)
      throw new CliprpnError("not_found", `${problem}: it waits in ${sweep}. Use -f to wait for it`);
    reader.note(`the trial waits in ${sweep}`);
  } else await passOn(trial, number, follow, reader, signal);
  while (follow) {
    const next = await nextAttempt(trial, number ?? 0, sweeps, signal);
    if (next === undefined) return;
    reader.note(`attempt ${next}`);
    await passOn(trial, next, follow, reader, signal);
    number = next;
  }
}

/** Passes on the log of one attempt; until its end, if it is followed. */
async function passOn(
  trial: TrialStore,
  attempt: number,
  follow: boolean,
  { write }: LogReader,
  signal: AbortSignal,
): Promise<void> {
  const { logFile, folder } = trial.attempt(attempt);
  if (!existsSync(folder))
    throw new CliprpnError(
      "not_found",
      `${folder}: expected an attempt, found none; there are ${trial.attempts().join(", ") || "none"}`,
    );
  const isRunning = (): boolean =>
    isNewest(trial, attempt) && trial.outcome(attempt) === undefined && isClaimed(trial);
  await passOnFile(logFile, follow ? isRunning : never, write, signal);
}

/**
 * Passes on the log of what a sweep makes before its trials.
 *
 * @param follow also what is written until the attempt ends.
 * @throws the signal's reason.
 */
export async function followPreparation(
  sweep: SweepStore,
  attempt: number,
  follow: boolean,
  { write }: LogReader,
  signal: AbortSignal,
): Promise<void> {
  const { logFile, folder } = sweep.preparations.at(attempt);
  const isRunning = (): boolean =>
    readOwner(sweep.lockFolder) !== undefined &&
    sweep.preparations.numbers().at(-1) === attempt &&
    !existsSync(join(folder, "outcome.json"));
  await passOnFile(logFile, follow ? isRunning : never, write, signal);
}

const never = (): boolean => false;

/** Passes on a file, and what is appended to it while its writer runs. */
async function passOnFile(
  file: string,
  isRunning: () => boolean,
  write: LogReader["write"],
  signal: AbortSignal,
): Promise<void> {
  const decoder = new StringDecoder("utf8");
  const buffer = Buffer.alloc(64 * 1024);
  let position = 0;
  for (;;) {
    // What is written before the end is read after it.
    const mayGrow = isRunning();
    position = readFrom(file, position, buffer, (part) => write(decoder.write(part)));
    if (!mayGrow) break;
    await sleep(pollMs, undefined, { signal });
  }
  write(decoder.end());
}

/** Waits for an attempt after this one; undefined if no process is going to make one. */
async function nextAttempt(
  trial: TrialStore,
  number: number,
  sweeps: SweepsThatRun,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (;;) {
    const isExpected = isClaimed(trial) || sweeps.find() !== undefined;
    const next = trial.attempts().find((each) => each > number);
    if (next !== undefined || !isExpected) return next;
    await sleep(waitMs, undefined, { signal });
  }
}

const pollMs = 200;
const waitMs = 1000;

function isNewest(trial: TrialStore, attempt: number): boolean {
  return trial.attempts().at(-1) === attempt;
}

function isClaimed(trial: TrialStore): boolean {
  return readOwner(trial.claimFolder) !== undefined;
}

/** Reads a file to its end; one that has become shorter, from its start. @returns the new position. */
function readFrom(file: string, start: number, buffer: Buffer, take: (part: Buffer) => void): number {
  if (!existsSync(file)) return start; // Nothing was written yet.
  const fd = openSync(file, "r");
  try {
    let position = fstatSync(fd).size < start ? 0 : start;
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
