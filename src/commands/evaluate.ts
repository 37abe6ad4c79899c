import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { Split, TrialDataset } from "../contract/generated/types.ts";
import { type DatasetIdentity, identifyDataset } from "../dataset/identify-dataset.ts";
import { cacheDir } from "../environment/cache.ts";
import { baselineOf, imageSizeOf } from "../store/model-facts.ts";
import { evaluationFolder, findTrial, sweepOf } from "../store/sweep-store.ts";
import { dataFolders, ensureDataset } from "../sweep/datasets.ts";
import { isTest, recordLook } from "../sweep/make-report.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { imageSizeFor } from "../sweep/preflight.ts";
import { liveEvent } from "../sweep/progress.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit, chosenSplitBy, namedDataset } from "./dataset-choice.ts";

/** `cliprpn evaluate TRIAL`: evaluates a model on a split and prints its metrics as JSON. */
export async function evaluate(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  const split = chosenSplit(args);
  const dataset = await otherDataset(args, context);
  const model = findTrial(args.needed("model"), run.runsDir, run.cwd);
  const baseline = baselineOf(model);
  const engine = await openEngine(run, baseline === undefined ? [] : [baseline]);
  try {
    const size = baseline === undefined ? imageSizeOf : () => imageSizeFor(baseline);
    if (dataset !== undefined) await ensureDataset(dataset, [size(model)], engine, context);
    // The sweep of the model counts every evaluation on test, before its result is known.
    if (isTest(split)) countLook(model, split, context.commandLine);
    const result = await engine.call(
      "evaluate",
      {
        model,
        split,
        dataset: dataset === undefined ? null : trialDataset(dataset),
        out_dir: evaluationFolder(model, dataset?.id),
        cache_dir: cacheDir(context.env),
      },
      { signal: context.signal, onEvent: liveEvent(context.terminal) },
    );
    context.terminal.liveDone();
    context.terminal.result(JSON.stringify(result, null, 2));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}

/** The dataset of `--dataset`: a prepared one by name, or a folder; undefined for the model's own. */
async function otherDataset(args: Arguments, context: Context): Promise<DatasetIdentity | undefined> {
  const name = args.text("dataset");
  const split_by = chosenSplitBy(args);
  if (name === undefined) {
    if (split_by !== undefined)
      throw new CliprpnError("bad_input", "--split-by: only valid with --dataset; add --dataset NAME");
    return undefined;
  }
  return identifyDataset(namedDataset(name, split_by, context), dataFolders(context));
}

function trialDataset({ id, name, root, split_by }: DatasetIdentity): TrialDataset {
  return { id, name, root, split_by };
}

function countLook(model: string, split: Split, command: string): void {
  const sweep = sweepOf(model);
  if (sweep !== undefined) recordLook(sweep, split, command);
}
