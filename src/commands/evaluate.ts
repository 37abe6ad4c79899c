import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import { type DatasetIdentity, identifyDataset } from "../dataset/identify-dataset.ts";
import { answersFolder, type FoundModel, findModel, modelFile } from "../store/find-model.ts";
import { hasPredictions } from "../store/predictions.ts";
import { dataFolders, ensureDataset, namedDataset, warnOfData } from "../sweep/datasets.ts";
import { checkTarget } from "../sweep/evaluation-targets.ts";
import { currentCode, locateTrials, specOf } from "../sweep/locate-trial.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { evaluateOn, neededSize, recordTargetLook } from "../sweep/predict-on.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { type Arguments, type Context, runContext } from "./command.ts";
import { chosenSplit, chosenSplitBy } from "./dataset-choice.ts";
import { evaluateOnSplits } from "./evaluate-on.ts";

/** `cliprpn evaluate TRIAL`: evaluates a model on a split and prints its metrics as JSON. */
export async function evaluate(args: Arguments, context: Context): Promise<number> {
  if (args.list("on").length > 0) return evaluateOnSplits(args, context);
  const run = runContext(args, context);
  const split = chosenSplit(args);
  const dataset = await otherDataset(args, context);
  const found = findModel(args.needed("model"), run, currentCode);
  const spec = specOfModel(found, run, dataset === undefined);
  const model = spec?.kind === "baseline" ? null : modelFile(found);
  const engine = await openEngine(run, spec === null ? [] : [spec]);
  try {
    if (dataset !== undefined) await ensureDataset(dataset, [neededSize({ spec, model })], engine, context);
    const used = dataset ?? spec?.dataset;
    if (used !== undefined) warnOfData(used, context.terminal);
    if (used !== undefined) checkTarget({ dataset: used, split }, "--split"); // Before a look at it.
    const out_dir = answersFolder(found, split, dataset?.id);
    if (used !== undefined && !hasPredictions(out_dir, split))
      recordTargetLook({ dataset: used, split }, 1, {
        sweepName: null,
        runsDir: found.kind === "trial" ? found.trial.runsDir : run.runsDir,
        context,
      });
    const result = await evaluateOn(
      { spec, model, out_dir },
      { dataset: dataset ?? null, split },
      { engine, context },
    );
    context.terminal.liveDone();
    context.terminal.result(JSON.stringify(result, null, 2));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}

/** The trial of a model, with its dataset's folder; null for a model file from elsewhere. */
function specOfModel(found: FoundModel, run: RunContext, needsDataset: boolean): TrialSpec | null {
  if (found.kind === "file") return null;
  const spec = specOf(found.trial);
  return needsDataset ? (locateTrials([{ spec }], run)[0]?.spec ?? spec) : spec;
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
