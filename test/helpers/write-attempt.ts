import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TrialStore } from "../../src/store/trial-store.ts";

/** Adds an attempt as its worker leaves it. @returns its number. */
export function writeAttempt(trial: TrialStore, outcome: object): number {
  const { number, folder } = trial.newAttempt();
  writeFileSync(join(folder, "best.safetensors"), `model ${number}`);
  writeFileSync(join(folder, "outcome.json"), JSON.stringify(outcome));
  return number;
}
