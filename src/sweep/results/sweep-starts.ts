import type { JournalEntry, SweepStart } from "../../contract/generated/types.ts";

/** What each start of a sweep was expected to take, and what it took; without those that had no trial to run. */
export function sweepStarts(entries: readonly JournalEntry[]): SweepStart[] {
  const starts: SweepStart[] = [];
  for (const entry of entries) {
    const last = starts.at(-1);
    if (entry.type === "sweep_started") starts.push({ started_at: entry.at, estimate: null, measured: null });
    else if (entry.type === "sweep_estimated" && last !== undefined) last.estimate = entry.estimate;
    else if (entry.type === "sweep_measured" && last !== undefined) {
      const { duration_ms, num_ended, is_interrupted, written_bytes } = entry;
      last.measured = { duration_ms, num_ended, is_interrupted, written_bytes };
    }
  }
  return starts.filter(({ estimate }) => estimate !== null);
}

/** How many trials ran at the same time at most: a start with one trial left has one slot. Undefined if no start says it. */
export function mostSlots(entries: readonly JournalEntry[]): number | undefined {
  const slots = entries.flatMap((entry) =>
    entry.type === "sweep_started" && entry.num_slots !== undefined ? [entry.num_slots] : [],
  );
  return slots.length === 0 ? undefined : Math.max(...slots);
}
