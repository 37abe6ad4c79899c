import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** When trials ended, in seconds and in order, as `trial.py` of all processes noted it. */
export function endsIn(folder: string): number[] {
  return timesIn(folder, "ends");
}

/** When trials that wait for a kill started. */
export function startsIn(folder: string): number[] {
  return timesIn(folder, "starts");
}

function timesIn(folder: string, what: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${what}-`))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n").map(Number))
    .sort((a, b) => a - b);
}
