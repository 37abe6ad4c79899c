import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** When trials ended, in seconds and in order, as `trial.py` of all processes noted it. */
export function endsIn(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("ends-"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n").map(Number))
    .sort((a, b) => a - b);
}
