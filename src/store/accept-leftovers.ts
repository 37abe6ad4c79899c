import { existsSync } from "node:fs";
import type { AcceptedAttempt } from "../contract/generated/types.ts";
import { schemaVersion } from "./files.ts";
import type { TrialStore } from "./trial-store.ts";

/**
 * Accepts the first completed attempt of each code for which none counts, as after a kill between its outcome and its acceptance.
 * If its own process lives and is about to accept it, nothing changes by that.
 */
export function acceptLeftovers(trial: TrialStore): void {
  for (const { attempt, sources_sha256, accepted_at } of leftovers(trial))
    trial.accept(attempt, sources_sha256, undefined, accepted_at);
}

/** What `acceptLeftovers` would accept. */
export function leftovers(trial: TrialStore): AcceptedAttempt[] {
  const attempts = trial.attempts();
  if (attempts.length === 0) return []; // As for most trials that are new.
  const accepted = new Set(trial.accepted().map(({ attempt }) => attempt));
  const codes = new Set<string>();
  return attempts.flatMap((attempt): AcceptedAttempt[] => {
    const outcome = accepted.has(attempt) ? undefined : trial.outcome(attempt);
    if (outcome?.state !== "completed") return [];
    const { sources_sha256, finished_at } = outcome;
    if (codes.has(sources_sha256) || existsSync(trial.acceptedFile(sources_sha256))) return [];
    codes.add(sources_sha256);
    const origin = trial.importedFrom(attempt);
    return [{ schema_version: schemaVersion, attempt, sources_sha256, accepted_at: finished_at, origin }];
  });
}
