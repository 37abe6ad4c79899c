import { isTest, looksAt, recordLook } from "../store/test-looks.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit } from "./comparison.ts";

/** A split of a dataset. */
interface LookedAt {
  split: ComparedSplit["split"];
  dataset: Pick<ComparedSplit["dataset"], "id" | "name">;
}

/** Answers on a split. */
export interface ReadAnswers<T extends LookedAt = ComparedSplit> {
  data: T;
  /** Names them among the looks at test. */
  lookKey: string;
  /** True if they were read for the first time. */
  isNew: boolean;
}

/**
 * Records one look for each test split of which files are read for the first time, or read otherwise than before.
 *
 * @param numTrialsOn how many trials will be evaluated on a split by the same command, which is the same look.
 * @returns the splits with a look.
 */
export function recordAnswerLooks<T extends LookedAt>(
  answers: readonly ReadAnswers<T>[],
  { runsDir, commandLine }: Pick<RunContext, "runsDir" | "commandLine">,
  numTrialsOn: (data: T) => number = () => 0,
): T[] {
  const looked: T[] = [];
  const targets = answers.filter(({ isNew, data }) => isNew && isTest(data.split));
  for (const data of new Set(targets.map((target) => target.data))) {
    const { dataset, split } = data;
    // A file that another version of the code converted, or that a killed process recorded, is no new look.
    const known = new Set(looksAt(runsDir, dataset.id).flatMap(({ answers = [] }) => answers));
    const keys = targets.filter((target) => target.data === data).map(({ lookKey }) => lookKey);
    const newKeys = [...new Set(keys)].filter((key) => !known.has(key));
    if (newKeys.length === 0) continue;
    recordLook(runsDir, {
      dataset_id: dataset.id,
      dataset_name: dataset.name,
      split,
      command: commandLine,
      sweep: null,
      num_trials: newKeys.length + numTrialsOn(data),
      answers: newKeys,
    });
    looked.push(data);
  }
  return looked;
}
