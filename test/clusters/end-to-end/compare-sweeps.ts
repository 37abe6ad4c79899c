import assert from "node:assert/strict";
import { counted } from "../../../src/base/format.ts";
import type { SweepStore } from "../../../src/store/sweep-store.ts";
import { trialIds } from "../../../src/store/trial-ids.ts";
import { TrialStore } from "../../../src/store/trial-store.ts";
import { reportOf, resultsOf } from "../../torture/results.ts";

/**
 * Compares a sweep that ran on a cluster with the same one that ran on this machine: nothing is counted twice, and results and figures
 * are equal to the last digit.
 *
 * @returns the counts, for people.
 * @throws AssertionError with the first difference.
 */
export function compareSweeps(there: SweepStore, here: SweepStore): string {
  const ids = trialIds(here.runsDir).sort();
  assert.deepEqual(trialIds(there.runsDir).sort(), ids, "the trials");
  const ends = there.journal.ends();
  let numFiles = 0;
  let numAttempts = 0;
  let numResumed = 0;
  for (const id of ids) {
    const completed = ends.filter(({ trial_id, state }) => trial_id === id && state === "completed");
    assert.equal(completed.length, 1, `${id}: ends as completed in the journal`);
    const trial = new TrialStore(there.runsDir, id);
    const [accepted, ...others] = trial.accepted();
    assert.equal(others.length, 0, `${id}: further accepted attempts`);
    const outcome = accepted && trial.outcome(accepted.attempt);
    if (outcome?.state === "completed" && outcome.resumed_from != null) numResumed += 1;
    numAttempts += trial.attempts().length;
    const results = resultsOf(there.runsDir, id);
    assert.deepEqual(results, resultsOf(here.runsDir, id), `results of ${id}`);
    numFiles += Object.keys(results).length;
  }
  assert.deepEqual(reportIn(there), reportIn(here), "figures of the report");
  assert(numResumed > 0, "expected trials that continued from a checkpoint, found none");
  const told = [...new Set(ends.map(({ state }) => state))]
    .map((state) => `${ends.filter((end) => end.state === state).length} ${state}`)
    .join(", ");
  return `${counted(ids.length, "trial")}, ${counted(numAttempts, "attempt")} (${told}; ${numResumed} continued from a checkpoint): ${counted(numFiles, "result")} and the figures of the report are equal to those of this machine`;
}

function reportIn(store: SweepStore): unknown {
  return reportOf(store, store.runsDir, { withPlaces: false });
}
