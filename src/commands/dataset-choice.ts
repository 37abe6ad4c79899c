import type { Split, SplitBy } from "../contract/generated/types.ts";
import type { Arguments } from "./command.ts";

const allSplits = ["train", "val", "test", "testA", "testB"] as const satisfies readonly Split[];
const splitBys = ["umd", "google", "unc", "own"] as const satisfies readonly SplitBy[];

export function chosenSplit(args: Arguments): Split {
  return allSplits.find((split) => split === args.text("split")) ?? "val";
}

/** The --split-by option. */
export function chosenSplitBy(args: Arguments): SplitBy | undefined {
  return splitBys.find((by) => by === args.text("split-by"));
}
