import type {
  Combined,
  Split,
  StoredExperiment,
  StoredTarget,
  TrialDataset,
  TrialSpec,
} from "../../contract/generated/types.ts";
import { readFacts } from "../../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../../engine/engine.ts";
import { cacheDir } from "../../environment/cache.ts";
import { laterTargets } from "../../store/later-targets.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { isTest } from "../../store/test-looks.ts";
import { isSame, locateTarget, storedTarget } from "../evaluation-targets.ts";
import {
  type CompletedAttempt,
  datasetOf,
  type EvaluationTarget,
  predictOn,
  targetName,
} from "../predict-on.ts";
import type { Context } from "../run-context.ts";
import { comparisonRules, groupsOf } from "./summarize-params.ts";

/** A sweep whose trials are evaluated on several splits. */
export interface EvaluatedSweep {
  store: SweepStore;
  experiment: StoredExperiment;
  asked: readonly TrialSpec[];
  /** The split of the report. */
  own: EvaluationTarget;
}

/**
 * Has the missing answers on the other splits of a sweep computed, and the figures over all of them.
 *
 * @returns undefined for a sweep without other splits.
 */
export async function combineTargets(
  trials: [CompletedAttempt, ...CompletedAttempt[]],
  { store, experiment, asked, own }: EvaluatedSweep,
  engine: Engine,
  context: Context,
): Promise<Combined | undefined> {
  const stored = otherTargets(store, experiment.evaluate_on, own.dataset, own.split);
  if (stored.length === 0) return undefined;
  const targets = stored.map((target) =>
    target.dataset.id === own.dataset.id
      ? { dataset: own.dataset, split: target.split }
      : locateTarget(target, context),
  );
  await predictOn(trials, targets, { sweepName: store.name, runsDir: store.runsDir, engine, context });
  context.terminal.live(["comparing over all splits"]);
  const all = [own, ...targets];
  const primary = new Set(primaryOf(all, experiment));
  const [first, ...others] = all.map((target) => ({
    name: targetName(named(target)),
    dataset: datasetOf(named(target).dataset),
    split: target.split,
    in_primary: primary.has(target),
    groups: groupsOf(trials, target, asked),
  }));
  if (first === undefined) return undefined;
  return engine.call(
    "combine",
    { endpoints: [first, ...others], ...comparisonRules(experiment), cache_dir: cacheDir(context.env) },
    { signal: context.signal },
  );
}

/** The splits that the experiment names, then those that were evaluated later, without the split of the report. */
export function otherTargets(
  store: SweepStore,
  evaluate_on: readonly StoredTarget[] = [],
  dataset: Pick<TrialDataset, "id">,
  split: Split = "val",
): StoredTarget[] {
  const later = laterTargets(store).filter((target) => !evaluate_on.some((each) => isSame(each, target)));
  return [...evaluate_on, ...later].filter((target) => !isSame(target, { dataset, split }));
}

/** The val split of a joint training set has the name of the dataset that it comes from. */
function named(target: EvaluationTarget): EvaluationTarget {
  const { dataset } = target;
  const { joint } = readFacts(dataset.root);
  return joint == null ? target : { ...target, dataset: { ...dataset, name: joint.val.name } };
}

/** The test splits that the experiment names; without any, all test splits; without any, all splits. */
function primaryOf(
  all: readonly EvaluationTarget[],
  { evaluate_on = [] }: StoredExperiment,
): EvaluationTarget[] {
  const tests = all.filter(({ split }) => isTest(split));
  const named = tests.filter((target) => evaluate_on.some((each) => isSame(each, storedTarget(target))));
  return named.length > 0 ? named : tests.length > 0 ? tests : [...all];
}
