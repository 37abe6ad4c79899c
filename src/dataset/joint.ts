import { createHash } from "node:crypto";
import { join } from "node:path";
import { count, counted, joinWords } from "../base/format.ts";
import type { PreparedDataset, Split } from "../contract/generated/types.ts";
import type { DataFolders, DatasetIdentity, ExcludedSplits, JointTraining } from "./identify-dataset.ts";

/** A joint training set, which may not be prepared yet. */
export type JointDataset = DatasetIdentity & { joint: JointTraining };

export type JointFacts = NonNullable<PreparedDataset["joint"]>;

export const evaluationSplits = ["val", "test", "testA", "testB"] as const satisfies readonly Split[];

/**
 * The joint training set of several datasets. Left out are all evaluation splits of these datasets and of `val`, and the splits that
 * are evaluated besides. Its id depends on the ids of the datasets and on the splits that are left out.
 */
export function jointDataset(
  parts: DatasetIdentity[],
  val: DatasetIdentity,
  evaluated: readonly { dataset: DatasetIdentity; split: Split }[],
  { cache }: DataFolders,
): JointDataset {
  const excluded = new Map<string, ExcludedSplits>(
    [...parts, val].map((dataset) => [dataset.id, { dataset, splits: [...evaluationSplits] }]),
  );
  for (const { dataset, split } of evaluated) {
    const entry = excluded.get(dataset.id) ?? { dataset, splits: [] };
    if (!entry.splits.includes(split)) entry.splits.push(split);
    excluded.set(dataset.id, entry);
  }
  const leftOut = [...excluded.values()]
    .map(({ dataset, splits }) => [dataset.id, [...splits].sort()])
    .sort();
  const id = createHash("sha256")
    .update(
      JSON.stringify({ version: ruleVersion, parts: parts.map((part) => part.id), val: val.id, leftOut }),
    )
    .digest("hex")
    .slice(0, 16);
  const { root, folder } = jointFolders(cache, id);
  return {
    id,
    name: `${val.name}-joint`,
    root,
    split_by: "own",
    joint: { parts, val, excluded: [...excluded.values()], folder },
  };
}

/** Of how images are recognized and left out: another rule makes other datasets. */
const ruleVersion = 1;

/** The datasets that a joint training set is made from, each once. */
export function datasetsOf({ parts, val, excluded }: JointTraining): DatasetIdentity[] {
  const all = [...parts, val, ...excluded.map(({ dataset }) => dataset)];
  return [...new Map(all.map((dataset) => [dataset.id, dataset])).values()];
}

/** Where a joint training set is, and the annotations that it is prepared from. */
export function jointFolders(cache: string, id: string): { root: string; folder: string } {
  return { root: join(cache, "prepared", id), folder: join(cache, "joint", id) };
}

/** "The training set is the train splits of a and b: 9,012 images with 30,100 expressions. 123 images of evaluation splits ...". */
export function describeJoint({
  parts,
  val,
  num_images,
  num_sentences,
  num_images_left_out,
  num_sentences_left_out,
  num_val_images_tested,
}: Omit<JointFacts, "excluded">): string {
  const names = joinWords(parts.map(({ name }) => name));
  const trained = `The training set is the train split${parts.length === 1 ? "" : "s"} of ${names}: ${counted(num_images, "image")} with ${counted(num_sentences, "expression")}.`;
  const leftOut =
    num_images_left_out === 0
      ? "No image of them is in an evaluation split."
      : `${counted(num_images_left_out, "image")} of evaluation splits, with ${count(num_sentences_left_out)} training ${num_sentences_left_out === 1 ? "expression" : "expressions"}, ${num_images_left_out === 1 ? "was" : "were"} left out of training.`;
  const tested =
    num_val_images_tested === 0
      ? ""
      : `, of which ${counted(num_val_images_tested, "image")} ${num_val_images_tested === 1 ? "is" : "are"} also in a test split`;
  return `${trained} ${leftOut} The epoch of each model is chosen on val of ${val.name}${tested}.`;
}
