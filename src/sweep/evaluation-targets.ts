import { join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { DatasetChoice, Experiment, Split, StoredTarget } from "../contract/generated/types.ts";
import {
  type DatasetIdentity,
  findDatasetById,
  identifyDataset,
  preparedFolder,
} from "../dataset/identify-dataset.ts";
import { isPrepared, readFacts } from "../dataset/prepare/prepared-folder.ts";
import { splitChoice } from "../experiment/evaluation-rules.ts";
import { dataFolders } from "./datasets.ts";
import { type EvaluationTarget, targetName } from "./predict-on.ts";
import type { Context } from "./run-context.ts";

/** The splits of `evaluate_on`. @throws CliprpnError bad_input; not_found. */
export function experimentTargets(
  { evaluate_on, dataset = {} }: Pick<Experiment, "evaluate_on" | "dataset">,
  context: Context,
): Promise<EvaluationTarget[]> {
  return targetsOf(evaluate_on ?? [], "evaluate_on", dataset, context);
}

/**
 * The splits that texts name, as `evaluate_on` and `--on` take them.
 *
 * @param where who wrote them, for messages.
 * @param own the dataset that a name may mean without being prepared by `cliprpn prepare`.
 * @throws CliprpnError bad_input; not_found.
 */
export async function targetsOf(
  texts: readonly string[],
  where: string,
  own: DatasetChoice,
  context: Context,
): Promise<EvaluationTarget[]> {
  const targets: EvaluationTarget[] = [];
  for (const text of texts) {
    const choice = splitChoice(text, own, { cwd: context.cwd, data: dataFolders(context).data });
    if ("message" in choice) throw new CliprpnError("bad_input", `${where}: ${choice.message}`);
    const dataset = await identifyDataset(choice.dataset, dataFolders(context));
    const target = { dataset, split: choice.split };
    checkTarget(target, where);
    // Also under two names, such as refcocog and refcocog-umd.
    if (targets.some((each) => isSame(each, target)))
      throw new CliprpnError(
        "bad_input",
        `${where}: expected each split once, found ${targetName(target)} again`,
      );
    targets.push(target);
  }
  return targets;
}

/** @throws CliprpnError bad_input if a prepared dataset has no expressions in the split. */
export function checkTarget(
  { dataset, split }: { dataset: Pick<DatasetIdentity, "name" | "root">; split: Split },
  where: string,
): void {
  if (!isPrepared(dataset.root)) return; // Checked once it is prepared.
  const splits = splitsIn(dataset.root);
  if (splits.includes(split)) return;
  const { joint } = readFacts(dataset.root);
  const advice =
    joint == null
      ? ""
      : `. The trials of several datasets are evaluated on the splits of each: \`cliprpn evaluate SWEEP --on ${joint.val.name}:${split}\``;
  throw new CliprpnError(
    "bad_input",
    `${where}: expected a split of ${dataset.name}: ${splits.join(", ")}; found ${split}${advice}`,
  );
}

/** The splits of a dataset that have expressions; undefined if it is not prepared yet. */
export function findSplits({ name, root, split_by }: DatasetChoice, context: Context): Split[] | undefined {
  const { data } = dataFolders(context);
  const folder =
    root ?? (name === undefined || name === "demo" ? undefined : preparedFolder(name, split_by, data));
  return folder === undefined || !isPrepared(folder) ? undefined : splitsIn(folder);
}

export function storedTarget({ dataset: { id, name, split_by }, split }: EvaluationTarget): StoredTarget {
  return { dataset: { id, name, split_by }, split };
}

/** A stored split, with the place where its dataset lies now. @throws CliprpnError not_found. */
export function locateTarget({ dataset, split }: StoredTarget, context: Context): EvaluationTarget {
  const folders = dataFolders(context);
  const expected = join(folders.data, dataset.name);
  const root = findDatasetById({ id: dataset.id, root: expected }, folders);
  if (root !== undefined) return { dataset: { ...dataset, root }, split };
  throw new CliprpnError(
    "not_found",
    `${expected}: expected the dataset ${dataset.name} (${dataset.id}), on which this sweep is evaluated, found it neither there nor elsewhere in ${folders.data} or ${folders.cache}; prepare it again, or set CLIPRPN_DATA to the folder that contains it`,
  );
}

export function isSame(
  a: { dataset: { id: string }; split: Split },
  b: { dataset: { id: string }; split: Split },
): boolean {
  return a.dataset.id === b.dataset.id && a.split === b.split;
}

/** True if a target is the val split that a joint training set has. */
export function isValOf({ joint }: DatasetIdentity, { dataset, split }: EvaluationTarget): boolean {
  return joint?.val.id === dataset.id && split === "val";
}

function splitsIn(folder: string): Split[] {
  return readFacts(folder)
    .splits.filter(({ num_sentences }) => num_sentences > 0)
    .map(({ split }) => split);
}
