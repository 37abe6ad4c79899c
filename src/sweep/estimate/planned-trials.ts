import { describeOwner, readOwner } from "../../base/owner-lock.ts";
import type { TrialSpec } from "../../contract/generated/types.ts";
import { readCheckpointHead } from "../../store/checkpoint-head.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { trialIds } from "../../store/trial-ids.ts";
import { TrialStore } from "../../store/trial-store.ts";
import type { TrialStatus } from "../resume.ts";

/** What a run would do with a trial. */
export type PlannedTrial = { spec: TrialSpec } & (
  | { state: "completed" | "stale" | "failed" | "waiting" }
  /** It could run, and is left out. */
  | { state: "later" }
  /** It continues a checkpoint: training before it took `worked_ms`, without the start of the worker. */
  | { state: "resumes"; worked_ms: number }
  | { state: "running_elsewhere"; owner: string }
);

/**
 * What a run would do with each trial of a sweep.
 *
 * @param waiting the trials that have to run.
 */
export function plannedTrials(
  store: SweepStore,
  trials: readonly TrialSpec[],
  waiting: readonly TrialSpec[],
  statuses: ReadonlyMap<string, TrialStatus>,
): PlannedTrial[] {
  const toRun = new Set(waiting.map(({ trial_id }) => trial_id));
  const existing = new Set(trialIds(store.runsDir));
  return trials.map((spec): PlannedTrial => {
    const status = statuses.get(spec.trial_id);
    if (!toRun.has(spec.trial_id)) {
      if (status?.state === "completed") return { spec, state: status.isStale ? "stale" : "completed" };
      return { spec, state: status?.state === "failed" ? "failed" : "later" };
    }
    if (!existing.has(spec.trial_id)) return { spec, state: "waiting" };
    const trial = new TrialStore(store.runsDir, spec.trial_id);
    const owner = readOwner(trial.claimFolder);
    if (owner !== undefined) return { spec, state: "running_elsewhere", owner: describeOwner(owner) };
    const worked_ms = trainedMs(trial, spec);
    return worked_ms === undefined ? { spec, state: "waiting" } : { spec, state: "resumes", worked_ms };
  });
}

/** The training up to the checkpoint that the trial will continue; undefined if there is none by the same code. */
function trainedMs(trial: TrialStore, { sources_sha256 }: TrialSpec): number | undefined {
  const heads = trial
    .resumable()
    .flatMap((attempt) => readCheckpointHead(trial.checkpointFile(attempt)) ?? []);
  return heads.find((head) => head.sources_sha256 === sources_sha256)?.training_ms;
}
