import type { CompletedOutcome, Split, TrialSpec } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir } from "../environment/cache.ts";
import { neededModel } from "../store/needed-model.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { isTest, recordLook } from "../store/test-looks.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { liveEvent } from "./progress.ts";
import type { Context } from "./run-context.ts";

/** A completed trial, with the attempt that counts. */
export interface CompletedAttempt {
  spec: TrialSpec;
  outcome: CompletedOutcome;
  trial: TrialStore;
  attempt: number;
}

/** Predictions on the split of the trials that have none. */
export async function predict(
  trials: readonly CompletedAttempt[],
  split: Split,
  store: SweepStore,
  engine: Engine,
  { terminal, signal, commandLine, env }: Context,
): Promise<void> {
  const missing = trials
    .filter(({ trial, attempt }) => !trial.hasAnswers(attempt, split))
    // All models are found before the first one is evaluated.
    .map((each) => ({
      ...each,
      model: each.spec.kind === "baseline" ? null : neededModel(each.trial, each.attempt),
    }));
  const [first] = missing;
  if (first === undefined) return;
  if (isTest(split))
    recordLook(store.runsDir, {
      dataset_id: first.spec.dataset.id,
      dataset_name: first.spec.dataset.name,
      split,
      command: commandLine,
      sweep: store.name,
      num_trials: missing.length,
    });
  for (const [index, { spec, trial, attempt, model }] of missing.entries()) {
    const onEvent = liveEvent(terminal, `${split}, trial ${index + 1} of ${missing.length}: `);
    const params = {
      spec,
      model,
      split,
      dataset: null,
      out_dir: trial.answersFolder(attempt, split),
      cache_dir: cacheDir(env),
    };
    await engine.call("evaluate", params, { signal, onEvent });
  }
}
