import type { ErrorInfo } from "../contract/generated/types.ts";
import { SweepStore } from "../store/sweep-store.ts";
import type { TrialStore } from "../store/trial-store.ts";

/** What the journals of sweeps say about an attempt. */
export interface AttemptEvents {
  /** UTC, ISO 8601. */
  started_at: string | null;
  finished_at: string | null;
  error: ErrorInfo | null;
  /** Where it ran, for people; null for the machine that ran the sweep. */
  worker: string | null;
}

/** By the number of the attempt. The number of a removed attempt is not used again. */
export function eventsOf(
  { trial_id, runsDir }: TrialStore,
  sweeps: readonly { name: string }[],
): Map<number, AttemptEvents> {
  const events = new Map<number, AttemptEvents>();
  for (const { name } of sweeps)
    for (const entry of new SweepStore(runsDir, name).journal.entries()) {
      if (!("trial_id" in entry) || entry.trial_id !== trial_id) continue;
      const known = events.get(entry.attempt) ?? {
        started_at: null,
        finished_at: null,
        error: null,
        worker: null,
      };
      events.set(
        entry.attempt,
        entry.type === "trial_started"
          ? { ...known, started_at: entry.at, worker: entry.worker ?? null }
          : { ...known, finished_at: entry.at, error: entry.error },
      );
    }
  return events;
}
