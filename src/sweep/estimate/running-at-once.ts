import type { JournalEntry } from "../../contract/generated/types.ts";
import type { SweepStore } from "../../store/sweep-store.ts";

/** How many attempts of a sweep ran at the same time as each, itself included: the mean over its time. */
export type AtOnce = (trial_id: string, attempt: number) => number | undefined;

/** From the journal of a sweep, which is read when it is first needed. Undefined for attempts that it did not run here. */
export function atOnceIn(sweep: SweepStore): AtOnce {
  let known: Map<string, number> | undefined;
  return (trial_id, attempt) => {
    known ??= runningAtOnce(entriesOf(sweep));
    return known.get(keyOf({ trial_id, attempt }));
  };
}

/** Nothing for a sweep whose journal is damaged: other commands say so. */
function entriesOf(sweep: SweepStore): JournalEntry[] {
  try {
    return sweep.journal.attempts();
  } catch {
    return [];
  }
}

/** By trial and attempt; of those that have ended. Attempts on other machines are left out: nobody knows what else runs there. */
export function runningAtOnce(entries: readonly JournalEntry[]): Map<string, number> {
  const means = new Map<string, number>();
  const running = new Map<string, { startedAt: number; before: number }>();
  let now = 0;
  /** Sum over time of the number that ran. */
  let total = 0;
  for (const entry of entries) {
    const at = Date.parse(entry.at);
    total += running.size * Math.max(0, at - now); // A clock may be set back.
    now = at;
    if (entry.type === "sweep_started")
      running.clear(); // An earlier process was killed.
    else if (entry.type === "trial_started") {
      if (entry.worker === undefined) running.set(keyOf(entry), { startedAt: at, before: total });
    } else if (entry.type === "trial_finished") {
      const started = running.get(keyOf(entry));
      if (started !== undefined && at > started.startedAt)
        means.set(keyOf(entry), (total - started.before) / (at - started.startedAt));
      running.delete(keyOf(entry));
    }
  }
  return means;
}

function keyOf({ trial_id, attempt }: { trial_id: string; attempt: number }): string {
  return `${trial_id} ${attempt}`;
}

/** Whether about as many ran at the same time as slots will. The last trials of a sweep run with fewer. */
export function isLike(at_once: number | null, numSlots: number): boolean {
  return at_once !== null && Math.abs(at_once - numSlots) <= tolerance * numSlots;
}

const tolerance = 0.15;
