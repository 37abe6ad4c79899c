import { readOwner } from "../base/owner-lock.ts";
import type { JournalEntry } from "../contract/generated/types.ts";
import { type JournalTail, tailJournal } from "../store/journal.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { allSweeps } from "../store/sweeps.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { lastEnds } from "../sweep/resume.ts";

/**
 * Finds the sweep that is going to run a trial. It is asked again and again, and reads what was added to journals since: that of a
 * large sweep takes a second.
 */
export class SweepsThatRun {
  readonly #trial: TrialStore;
  readonly #known = new Map<string, KnownSweep>();

  constructor(trial: TrialStore) {
    this.#trial = trial;
  }

  /** The name of a sweep that a process works on now and that is going to run the trial, or runs it; undefined if there is none. */
  find(): string | undefined {
    return allSweeps(this.#trial.runsDir).find((sweep) => isRunning(sweep) && this.#isGoingToRun(sweep))
      ?.name;
  }

  #isGoingToRun(sweep: SweepStore): boolean {
    const known = this.#knownOf(sweep);
    known.update();
    if (!known.isAsked() || known.hasEnded) return false;
    if (this.#trial.accepted().length > 0) return known.reruns("--rerun-stale");
    // Failed trials of an earlier run stay so, unless the command asks for them.
    return !known.hasEndedEver || known.reruns("--retry-failed");
  }

  #knownOf(sweep: SweepStore): KnownSweep {
    const known = this.#known.get(sweep.name) ?? new KnownSweep(sweep, this.#trial.trial_id);
    this.#known.set(sweep.name, known);
    return known;
  }
}

/** What a sweep's list of trials and its journal say about a trial. */
class KnownSweep {
  readonly #sweep: SweepStore;
  readonly #journal: JournalTail;
  readonly #trial_id: string;
  #command = "";
  #isAsked = false;
  /** The trial has an end that leaves it no run, since the sweep was last started. */
  hasEnded = false;
  /** Also of an earlier start. */
  hasEndedEver = false;

  constructor(sweep: SweepStore, trial_id: string) {
    this.#sweep = sweep;
    this.#journal = tailJournal(sweep.journal.file);
    this.#trial_id = trial_id;
  }

  update(): void {
    for (const entry of this.#journal((line) => this.#isOfInterest(line))) this.#add(entry);
  }

  /** Whether the sweep asks for the trial. Its list changes before it starts. */
  isAsked(): boolean {
    this.#isAsked ||= this.#sweep.rowOf(this.#trial_id)?.asked === true;
    return this.#isAsked;
  }

  /** Whether the command that started the sweep has this option. */
  reruns(option: string): boolean {
    return this.#command.split(" ").includes(option);
  }

  #isOfInterest(line: string): boolean {
    return line.includes('"sweep_started"') || line.includes(this.#trial_id);
  }

  #add(entry: JournalEntry): void {
    if (entry.type === "sweep_started") {
      this.#command = entry.command;
      this.#isAsked = false;
      this.hasEnded = false;
    }
    if (entry.type !== "trial_finished" || !lastEnds([entry]).has(this.#trial_id)) return;
    this.hasEnded = true;
    this.hasEndedEver = true;
  }
}

function isRunning(sweep: SweepStore): boolean {
  return readOwner(sweep.lockFolder) !== undefined;
}
