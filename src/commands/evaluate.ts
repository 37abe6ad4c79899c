import { basename, resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { TrialDataset } from "../contract/generated/types.ts";
import { identifyDataset } from "../dataset/identify-dataset.ts";
import { cacheDir } from "../runtime/cache-dir.ts";
import { evaluationFolder, findTrial, sweepOf } from "../store/sweep-store.ts";
import type { Arguments, Context } from "./command.ts";
import { liveEvent } from "./live-event.ts";
import { lookAt } from "./report.ts";
import { openEngine, runsFolder } from "./session.ts";

/** `cliprpn evaluate TRIAL`: figures on a split, as JSON. */
export async function evaluate(args: Arguments, context: Context): Promise<number> {
  const model = findTrial(args.needed("model"), runsFolder(args, context), context.cwd);
  const split = chosenSplit(args);
  const dataset = await otherDataset(args, context);
  const engine = await openEngine(args, context);
  try {
    // A model's own test split is its sweep's: each look is counted, before it is taken.
    if (split === "test") countLook(model, context.commandLine);
    const result = await engine.call(
      "evaluate",
      {
        model,
        split,
        dataset,
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

function chosenSplit(args: Arguments): "train" | "val" | "test" {
  const split = args.text("split");
  return split === "test" || split === "train" ? split : "val";
}

/** What `--dataset` names; null for the model's own. */
async function otherDataset(args: Arguments, { cwd, env }: Context): Promise<TrialDataset | null> {
  const named = args.text("dataset");
  const split_by = args.text("split-by") === "google" ? "google" : "umd";
  if (named === undefined) {
    if (args.text("split-by") !== undefined)
      throw new CliprpnError("bad_input", "--split-by says who split --dataset; give that too");
    return null;
  }
  const root = resolve(cwd, named);
  const { id, name } = await identifyDataset({ name: basename(root), root, split_by }, cacheDir(env));
  return { id, name, root, split_by };
}

function countLook(model: string, command: string): void {
  const sweep = sweepOf(model);
  if (sweep !== undefined) lookAt(sweep, "test", command);
}
