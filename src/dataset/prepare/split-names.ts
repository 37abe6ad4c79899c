import type { Split } from "../../contract/generated/types.ts";

const splits = ["train", "val", "test", "testA", "testB"] as const satisfies readonly Split[];

/** Names that datasets have for splits, in lower case without `_` and `-`; Python reads the same in rows. */
const meanings: Record<string, Split> = {
  train: "train",
  training: "train",
  val: "val",
  validation: "val",
  valid: "val",
  dev: "val",
  minival: "val",
  test: "test",
  testing: "test",
  testa: "testA",
  testb: "testB",
};

/** The split that a name means; undefined if it means none. */
export function splitNamed(name: string): Split | undefined {
  return splits.find((split) => split === name) ?? meanings[name.toLowerCase().replace(/[_-]/g, "")];
}

/** The split in the name of a file of a Hugging Face dataset, such as `validation-00000-of-00002.parquet`. */
export function splitOfFile(name: string): Split | undefined {
  const [, split] = /^([A-Za-z_-]+?)(?:[-_.]\d{4,}(?:-of-\d+)?)?\.[a-z.]+$/.exec(name) ?? [];
  return split === undefined ? undefined : splitNamed(split);
}
