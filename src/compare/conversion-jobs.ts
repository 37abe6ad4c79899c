import { hashFileSync } from "../base/hash-file.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { AnswersReport } from "../contract/generated/types.ts";
import { AnswersStore, lookKey } from "../store/answers-store.ts";
import type { ComparedSplit, FilesModel } from "./comparison.ts";
import type { ReadAnswers } from "./record-looks.ts";

/** A file and the splits that it has answers for. */
export interface ConversionJob {
  model: FilesModel;
  file: string;
  sha256: string;
  targets: ConversionTarget[];
}

export interface ConversionTarget extends ReadAnswers {
  store: AnswersStore;
  /** Undefined before the file is converted. */
  report: AnswersReport | undefined;
  isConverted: boolean;
}

/**
 * The files of a model, each once.
 *
 * @throws CliprpnError bad_input if a split has the same answers twice.
 */
export function jobsOf(model: FilesModel, data: readonly ComparedSplit[], runsDir: string): ConversionJob[] {
  const files = [...new Set([...model.files.values()].flat())];
  const jobs = files.map((file): ConversionJob => {
    const sha256 = hashFileSync(file);
    const targets = data.flatMap((each) => {
      if (!model.files.get(each.name)?.includes(file)) return [];
      const { dataset, split } = each;
      const identity = { sha256, reading: model.reading, dataset_id: dataset.id, split };
      const store = new AnswersStore(runsDir, identity);
      const report = store.read();
      return [
        {
          data: each,
          store,
          lookKey: lookKey(identity),
          report,
          isNew: report === undefined,
          isConverted: false,
        },
      ];
    });
    return { model, file, sha256, targets };
  });
  checkDifferent(model, jobs);
  return jobs;
}

/**
 * Repeats on a split must have other answers; for another split, a file may have the same content.
 *
 * @throws CliprpnError bad_input
 */
function checkDifferent({ label }: FilesModel, jobs: readonly ConversionJob[]): void {
  const fileOf = new Map<string, string>();
  for (const { file, targets } of jobs)
    for (const { store, data } of targets) {
      const same = fileOf.get(store.key);
      if (same !== undefined)
        throw new CliprpnError(
          "bad_input",
          `${file}: expected repeats of ${label} with other answers on ${data.name}, found the content of ${same}; leave one out`,
        );
      fileOf.set(store.key, file);
    }
}
