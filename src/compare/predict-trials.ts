import { CliprpnError } from "../contract/errors.ts";
import type { Engine } from "../engine/engine.ts";
import { type CompletedAttempt, hasAnswersOn, predictOn } from "../sweep/predict-on.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit, Comparison } from "./comparison.ts";

/**
 * Has the trials evaluated on the splits where they have no answers yet; new ones on a test split are a look at it.
 *
 * @throws CliprpnError not_found if a trial has neither answers nor a model, or must not run.
 */
export async function predictTrials(
  { models, data }: Comparison,
  engine: Engine,
  run: RunContext,
): Promise<void> {
  const ours = models.flatMap((model) => (model.kind === "results" ? [] : [model]));
  for (const { label, trials } of ours.filter(({ isStoredOnly }) => isStoredOnly))
    for (const each of data)
      for (const trial of trials)
        if (!hasAnswersOn(trial, each)) throw withoutPredictions(trial, each, label);
  const trials = ours.flatMap((model) => model.trials);
  // Two models may have a trial in common.
  const distinct = [
    ...new Map(trials.map((each) => [`${each.trial.folder} ${each.attempt}`, each])).values(),
  ];
  await predictOn(distinct, data, { sweepName: null, runsDir: run.runsDir, engine, context: run });
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
