import { join } from "node:path";
import { namesIn } from "../base/files.ts";

/** One run of a trial, or of what trials share, in a folder that nobody else writes to. */
export interface AttemptFolder {
  number: number;
  folder: string;
  logFile: string;
}

/** The folder of an attempt, existing or not. */
export function attemptFolder(parent: string, number: number): AttemptFolder {
  const folder = join(parent, String(number));
  return { number, folder, logFile: join(folder, "worker.log") };
}

/** Numbers of all attempts in a folder, in order. */
export function attemptNumbers(parent: string): number[] {
  return namesIn(parent)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}
