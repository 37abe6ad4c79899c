import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { DatasetChoice, Split, SplitBy } from "../contract/generated/types.ts";
import { preparedFolder } from "../dataset/identify-dataset.ts";
import { dataFolders } from "../sweep/datasets.ts";
import type { Arguments, Context } from "./command.ts";

const allSplits = ["train", "val", "test", "testA", "testB"] as const satisfies readonly Split[];
const splitBys = ["umd", "google", "unc", "own"] as const satisfies readonly SplitBy[];

export function chosenSplit(args: Arguments): Split {
  return allSplits.find((split) => split === args.text("split")) ?? "val";
}

/** The --split-by option. */
export function chosenSplitBy(args: Arguments): SplitBy | undefined {
  return splitBys.find((by) => by === args.text("split-by"));
}

/** The dataset that the user named: `demo`, the name of a prepared one (`refcocog` means `refcocog-umd`), or a folder. */
export function namedDataset(name: string, split_by: SplitBy | undefined, context: Context): DatasetChoice {
  if (name === "demo") return {};
  const by = split_by === undefined ? {} : { split_by };
  if (!name.includes("/") && existsSync(preparedFolder(name, split_by, dataFolders(context).data)))
    return { name, ...by };
  const root = resolve(context.cwd, name);
  return { name: basename(root), root, ...by };
}
