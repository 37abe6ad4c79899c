import type { PreparedDataset, Split } from "../../contract/generated/types.ts";
import { isPrepared, readFacts } from "../../dataset/prepare/prepared-folder.ts";

type SplitCounts = Pick<PreparedDataset["splits"][number], "num_images" | "num_sentences">;

/** Numbers of images and expressions of prepared datasets; each `dataset.json` is read once. */
export class DatasetCounts {
  readonly #facts = new Map<string, PreparedDataset | undefined>();

  /** Undefined if the dataset is not prepared, gone or damaged. */
  facts(root: string): PreparedDataset | undefined {
    if (!this.#facts.has(root)) this.#facts.set(root, readIfPossible(root));
    return this.#facts.get(root);
  }

  /** None if the dataset has no such split; undefined if nothing is known. */
  split(root: string, split: Split): SplitCounts | undefined {
    const facts = this.facts(root);
    if (facts === undefined) return undefined;
    return facts.splits.find((each) => each.split === split) ?? { num_images: 0, num_sentences: 0 };
  }

  /** Expressions of a split, at most `limit`; undefined if nothing is known. */
  expressions(root: string, split: Split, limit: number | null): number | undefined {
    const counts = this.split(root, split);
    return counts === undefined
      ? undefined
      : Math.min(limit ?? Number.POSITIVE_INFINITY, counts.num_sentences);
  }
}

function readIfPossible(root: string): PreparedDataset | undefined {
  if (root === "" || !isPrepared(root)) return undefined;
  try {
    return readFacts(root);
  } catch {
    return undefined; // The sweep itself says what is wrong.
  }
}
