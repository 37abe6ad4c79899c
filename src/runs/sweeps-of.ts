import type { TrialRow } from "../contract/generated/types.ts";
import { allSweeps } from "../store/sweeps.ts";
import type { TrialStore } from "../store/trial-store.ts";

/** A sweep that lists a trial. */
export interface AskingSweep extends Pick<TrialRow, "label" | "preset" | "asked"> {
  name: string;
}

/** The sweeps that list a trial, the newest first, and why others cannot be read. */
export function sweepsOf({ trial_id, runsDir }: TrialStore): { sweeps: AskingSweep[]; problems: string[] } {
  const problems: string[] = [];
  const sweeps = allSweeps(runsDir).flatMap((sweep) => {
    try {
      const row = sweep.rowOf(trial_id);
      if (row === undefined) return [];
      const { label, preset, asked } = row;
      return [{ name: sweep.name, label, preset, asked }];
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return [];
    }
  });
  return { sweeps, problems };
}
