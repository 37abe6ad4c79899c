import { findSchemaErrors } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Experiment, StoredExperiment } from "../contract/generated/types.ts";
import { defaultAlpha } from "../experiment/presets.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { locateTarget } from "./evaluation-targets.ts";
import { locateTrials } from "./locate-trial.ts";
import type { ReadPlan } from "./read-plan.ts";
import type { RunContext } from "./run-context.ts";

/** The plan that a sweep ran last, from its folder, and where it came from. */
export interface StoredPlan extends ReadPlan {
  source: StoredExperiment["source"];
}

/**
 * The plan of a stored sweep: the trials that it was asked for, with the copies of their fusions, and data and files where they lie now.
 *
 * @throws CliprpnError not_found if a dataset is gone; bad_input if a file is damaged, or an earlier version wrote the experiment.
 */
export function storedPlan(store: SweepStore, run: RunContext): StoredPlan {
  const content = store.read();
  const stored = content.experiment;
  const asked = content.trials.filter((trial) => trial.asked);
  const trials = locateTrials(asked, run).map(({ spec }) => spec);
  const [first] = trials;
  if (first === undefined) throw new Error("a sweep has at least one trial");
  const { name, question, published, keep_models, baseline, smallest_difference, trained_on, source } =
    stored;
  return {
    experiment: experimentOf(store, stored),
    plan: {
      name,
      question,
      published,
      keep_models,
      trials,
      alpha: stored.alpha ?? defaultAlpha,
      ...(baseline === undefined ? {} : { baseline }),
      ...(smallest_difference === undefined ? {} : { smallest_difference }),
      ...(trained_on === undefined ? {} : { trained_on }),
    },
    dataset: first.dataset,
    targets: (stored.evaluate_on ?? []).map((target) => locateTarget(target, run)),
    source,
  };
}

function experimentOf({ folder }: SweepStore, { experiment, source }: StoredExperiment): Experiment {
  const [problem] = findSchemaErrors("Experiment", experiment);
  if (problem === undefined) return experiment as Experiment;
  throw new CliprpnError(
    "bad_input",
    `${folder}: expected an experiment of this version of cliprpn, found one of an earlier version; use its file: \`cliprpn sweep ${source.file} --retry-failed\``,
  );
}
