import { hasPredictions } from "../../store/predictions.ts";
import { TrialStore } from "../../store/trial-store.ts";
import { answersDir, type EvaluationTarget } from "../predict-on.ts";
import type { TrialStatus } from "../resume.ts";
import type { LeftTrials } from "./costs.ts";
import type { PlannedTrial } from "./planned-trials.ts";

/** How much is left of the trials of a configuration. */
export function leftTrials(
  trials: readonly PlannedTrial[],
  targets: readonly EvaluationTarget[],
  statuses: ReadonlyMap<string, TrialStatus>,
  runsDir: string,
): LeftTrials {
  const isAnswered = ({ spec }: PlannedTrial): boolean => {
    const status = statuses.get(spec.trial_id);
    if (status?.state !== "completed") return false;
    const trial = new TrialStore(runsDir, spec.trial_id);
    const { attempt } = status.accepted;
    return targets.every((target) =>
      hasPredictions(answersDir({ spec, trial, attempt }, target), target.split),
    );
  };
  const canAnswer = trials.filter(({ state }) => state !== "failed" && state !== "later");
  return {
    label: trials[0]?.spec.label ?? "",
    num_trials: trials.length,
    num_completed: trials.filter((trial) => !runs(trial)).length,
    num_to_evaluate: targets.length === 0 ? 0 : canAnswer.filter((trial) => !isAnswered(trial)).length,
  };
}

/** True if this sweep runs the trial. */
export function runs({ state }: PlannedTrial): boolean {
  return state === "waiting" || state === "resumes";
}
