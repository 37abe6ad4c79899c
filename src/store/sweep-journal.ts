import type { JournalEntry, LeaderboardSoFar } from "../contract/generated/types.ts";
import {
  Journal,
  type JournalContent,
  readAttempts,
  readEnds,
  readJournal,
  readLastOfSweep,
  type SweepPaused,
  type TrialEnd,
} from "./journal.ts";

/** What happened in a sweep, by its `journal.jsonl`; empty if there is none. */
export class SweepJournal {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** Opens it to append to it; it is created if it is missing. */
  open(): Journal {
    return new Journal(this.file);
  }

  content(): JournalContent {
    return readJournal(this.file);
  }

  entries(): JournalEntry[] {
    return this.content().entries;
  }

  /** The ends of attempts. */
  ends(): TrialEnd[] {
    return readEnds(this.file);
  }

  /** Starts of the sweep, and starts and ends of attempts. */
  attempts(): JournalEntry[] {
    return readAttempts(this.file);
  }

  /** Why the last start of the sweep was paused; undefined if it was not. */
  pause(): SweepPaused | undefined {
    const last = readLastOfSweep(this.file);
    return last?.type === "sweep_paused" ? last : undefined;
  }

  /** The leaderboard at the end of the last run; undefined if another one has started, or it was interrupted. */
  lastLeaderboard(): LeaderboardSoFar | undefined {
    const last = readLastOfSweep(this.file);
    return last?.type === "sweep_finished" ? last.leaderboard : undefined;
  }
}
