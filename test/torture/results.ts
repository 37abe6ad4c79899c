/** What must be the same in two runs of a sweep, whatever happened to their processes. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";

/** Hashes of the files of a trial's accepted attempt, and its metrics. */
export function resultsOf(runsDir: string, id: string): Record<string, unknown> {
  const trial = new TrialStore(runsDir, id);
  const [accepted] = trial.accepted();
  assert(accepted !== undefined, `${id}: no attempt is accepted`);
  const { folder } = trial.attempt(accepted.attempt);
  const outcome = trial.outcome(accepted.attempt);
  const names = readdirSync(folder).filter((name) => /\.(safetensors|parquet|json)$/.test(name));
  return {
    metrics: outcome?.state === "completed" ? outcome.metrics : outcome,
    ...Object.fromEntries(
      names.filter((name) => name !== "outcome.json").map((name) => [name, hashOf(join(folder, name))]),
    ),
  };
}

/**
 * report.json without what differs by chance: times, numbers of attempts, memory, and a folder in paths.
 *
 * @param options whether the command and the machines of trials are left out, too, for sweeps at different places.
 */
export function reportOf(
  { folder: sweepFolder }: SweepStore,
  folder: string,
  { withPlaces = true }: { withPlaces?: boolean } = {},
): unknown {
  const text = readFileSync(join(sweepFolder, "report.json"), "utf8").replaceAll(folder, "FOLDER");
  return JSON.parse(text, (key, value) => {
    if (/_ms$|_at$|^attempts?$|^starts$|^peak_memory_bytes$/.test(key)) return undefined;
    if (/^(command|machine)$/.test(key) && !withPlaces) return undefined;
    return Array.isArray(value) ? value.filter((each) => !isAboutResuming(each)) : value;
  });
}

export function isAboutResuming(text: unknown): boolean {
  return typeof text === "string" && /trials? (was|were) interrupted and resumed/.test(text);
}

export function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
