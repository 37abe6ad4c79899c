import { counted } from "../../src/base/format.ts";
import type { TrialEnd } from "../../src/store/journal.ts";
import type { TrialStore } from "../../src/store/trial-store.ts";

/** What a torture did, and what came of it. */
export class Counts {
  readonly killsByVictim = new Map<string, number>();
  readonly faultsByPlace = new Map<string, number>();
  readonly otherFaults = new Map<string, number>();
  readonly differences: string[] = [];
  numRuns = 0;
  numSweeps = 0;
  numResumed = 0;
  /** Attempts whose end the journal tells in another way than as completed, by that. */
  readonly otherEnds = new Map<string, number>();

  get numKills(): number {
    return sum(this.killsByVictim);
  }

  killed(victim: string, place: string): void {
    add(this.killsByVictim, victim);
    add(this.faultsByPlace, place);
  }

  other(what: string, place: string): void {
    add(this.otherFaults, what);
    add(this.faultsByPlace, place);
  }

  /** Counts what the attempts of a complete trial say. */
  addTrial(trial: TrialStore): void {
    for (const attempt of trial.attempts()) {
      const outcome = trial.outcome(attempt);
      if (outcome?.state === "completed" && outcome.resumed_from != null) this.numResumed += 1;
    }
  }

  addEnds(ends: readonly TrialEnd[]): void {
    for (const { state } of ends) if (state !== "completed") add(this.otherEnds, state);
  }

  /** @param numPlaces of an undisturbed run. */
  describe(numPlaces: number): string {
    const places = [...this.faultsByPlace].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const width = Math.max(0, ...places.map(([place]) => place.length));
    return [
      ...places.map(([place, count]) => `  ${place.padEnd(width)} ${String(count).padStart(4)}`),
      `${counted(this.numKills, "kill")}: ${listed(this.killsByVictim)}`,
      `other faults: ${listed(this.otherFaults) || "none"}`,
      `${counted(places.length, "kind")} of moments and changes, of ${numPlaces} changes of an undisturbed run`,
      `${counted(this.numSweeps, "sweep")} completed in ${counted(this.numRuns, "run")}; ${counted(this.numResumed, "attempt")} resumed from a checkpoint; other ends of attempts: ${listed(this.otherEnds) || "none"}`,
      `${counted(this.differences.length, "difference")}`,
    ].join("\n");
  }
}

function listed(counts: Map<string, number>): string {
  return [...counts]
    .sort()
    .map(([what, count]) => `${what} ${count}`)
    .join(", ");
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
