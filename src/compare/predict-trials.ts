import { CliprpnError } from "../contract/errors.ts";
import type { Engine } from "../engine/engine.ts";
import { type CompletedAttempt, hasAnswersOn, predictOn } from "../sweep/predict-on.ts";
import { warnOfSharedImages } from "../sweep/prepare/prepare-targets.ts";
import { trains } from "../sweep/prepare/prepare-trials.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit, Comparison, Model } from "./comparison.ts";

/**
 * Has the trials evaluated on the splits where they have no answers yet; new ones on a test split are a look at it. Warns of images
 * that they were also trained on.
 *
 * @param looked splits at which this command has recorded its look.
 * @throws CliprpnError not_found if a trial has neither answers nor a model, or must not run.
 */
export async function predictTrials(
  { models, data }: Comparison,
  looked: readonly ComparedSplit[],
  engine: Engine,
  run: RunContext,
): Promise<void> {
  const ours = models.flatMap((model) => (model.kind === "results" ? [] : [model]));
  for (const { label, trials } of ours.filter(({ isStoredOnly }) => isStoredOnly))
    for (const each of data)
      for (const trial of trials)
        if (!hasAnswersOn(trial, each)) throw withoutPredictions(trial, each, label);
  const options = { sweepName: null, runsDir: run.runsDir, engine, context: run };
  const trials = distinctTrials(models);
  await predictOn(trials, data, { ...options, looked });
  const trained = trials.flatMap(({ spec }) => (trains(spec) ? [spec.dataset] : []));
  for (const dataset of new Map(trained.map((each) => [each.id, each])).values())
    await warnOfSharedImages(dataset, data, engine, run);
}

/** The trials of all models, of which two may have one in common. */
export function distinctTrials(models: readonly Model[]): CompletedAttempt[] {
  const trials = models.flatMap((model) => (model.kind === "results" ? [] : model.trials));
  return [...new Map(trials.map((each) => [`${each.trial.folder} ${each.attempt}`, each])).values()];
}

function withoutPredictions(
  { trial, spec }: CompletedAttempt,
  { name }: ComparedSplit,
  label: string,
): CliprpnError {
  return new CliprpnError(
    "not_found",
    `${trial.folder}: expected predictions of ${label} (seed ${spec.seed}) on ${name}, found none; models of another runs folder are not run. Write a report on that split there (\`cliprpn report\`), and export the sweep again`,
  );
}
