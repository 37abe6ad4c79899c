import { CliprpnError } from "../contract/errors.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir } from "../environment/cache.ts";
import { neededModel } from "../store/needed-model.ts";
import { isTest, recordLook } from "../store/test-looks.ts";
import { hasPredictions } from "../store/trial-store.ts";
import { ensureDataset } from "../sweep/datasets.ts";
import { locateTrials } from "../sweep/locate-trial.ts";
import type { CompletedAttempt } from "../sweep/predict.ts";
import { imageSizeFor } from "../sweep/preflight.ts";
import { liveEvent } from "../sweep/progress.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit, Comparison } from "./comparison.ts";
import { predictionsFolder } from "./groups.ts";

/**
 * Has the trials evaluated on the splits where they have no predictions yet; new ones on a test split are a look at it.
 *
 * @throws CliprpnError not_found if a trial has neither predictions nor a model.
 */
export async function predictTrials(
  { models, data }: Comparison,
  engine: Engine,
  run: RunContext,
): Promise<void> {
  const missing = models.flatMap((model) =>
    model.kind === "results"
      ? []
      : data.flatMap((each) =>
          model.trials
            .filter((trial) => !hasPredictions(predictionsFolder(trial, each), each.split))
            .map((trial) => ({ model, trial, each })),
        ),
  );
  const [stored] = missing.filter(({ model }) => model.isStoredOnly);
  if (stored !== undefined) throw withoutPredictions(stored.trial, stored.each, stored.model.label);
  const found = missing.map(({ trial, each }) => ({
    // All models are found before the first one is evaluated.
    model: trial.spec.kind === "baseline" ? null : neededModel(trial.trial, trial.attempt),
    trial,
    each,
  }));
  for (const each of new Set(found.map((one) => one.each))) {
    const trials = found.filter((one) => one.each === each);
    const sizes = trials.map(({ trial }) => imageSizeFor(trial.spec));
    await ensureDataset(each.dataset, sizes, engine, run);
    await predictOnSplit(each, trials, engine, run);
  }
}

async function predictOnSplit(
  each: ComparedSplit,
  trials: readonly { model: string | null; trial: CompletedAttempt }[],
  engine: Engine,
  run: RunContext,
): Promise<void> {
  const { dataset, split, name } = each;
  const { id, name: dataset_name, root, split_by } = dataset;
  if (isTest(split))
    recordLook(run.runsDir, {
      dataset_id: id,
      dataset_name,
      split,
      command: run.commandLine,
      sweep: null,
      num_trials: trials.length,
    });
  for (const [index, { model, trial }] of trials.entries()) {
    const isOwn = trial.spec.dataset.id === id;
    const [located] = isOwn ? locateTrials([trial], run) : [trial];
    const onEvent = liveEvent(run.terminal, `${name}, trial ${index + 1} of ${trials.length}: `);
    const params = {
      spec: (located ?? trial).spec,
      model,
      split,
      dataset: isOwn ? null : { id, name: dataset_name, root, split_by },
      out_dir: predictionsFolder(trial, each),
      cache_dir: cacheDir(run.env),
    };
    await engine.call("evaluate", params, { signal: run.signal, onEvent });
  }
  run.terminal.liveDone();
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
