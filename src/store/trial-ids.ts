import { join } from "node:path";
import { namesIn } from "../base/files.ts";

/** Ids of all trials in a runs folder. */
export function trialIds(runsDir: string): string[] {
  return namesIn(trialsFolder(runsDir)).filter(isTrialId);
}

export function trialsFolder(runsDir: string): string {
  return join(runsDir, "trials");
}

export function isTrialId(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name);
}
