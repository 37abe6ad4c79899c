import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { namesIn, removeIfEmpty } from "../base/files.ts";
import { replaceFile } from "../base/replace-file.ts";
import { answersCode } from "../contract/answers-code.ts";
import { digest } from "../contract/canonical-json.ts";
import type { AnswerReading, AnswersReport, Split } from "../contract/generated/types.ts";
import { readStored, toJson } from "./files.ts";
import { hasPredictions } from "./predictions.ts";

/** What determines the predictions that a file of answers is converted into. */
export interface AnswersIdentity {
  /** Of the file. */
  sha256: string;
  reading: AnswerReading;
  dataset_id: string;
  split: Split;
}

/** Names these answers in the list of looks at test: the same with every version of the code that converts them. */
export function lookKey({ sha256, reading, dataset_id, split }: AnswersIdentity): string {
  return digest({ sha256, reading, dataset_id, split }).slice(0, 16);
}

/** The folder `answers/<key>`: predictions converted from a file of an outside model, for one split. */
export class AnswersStore {
  readonly key: string;
  readonly folder: string;
  readonly #split: Split;

  constructor(runsDir: string, identity: AnswersIdentity) {
    this.key = digest({ look: lookKey(identity), code: answersCode() }).slice(0, 16);
    this.folder = join(answersFolder(runsDir), this.key);
    this.#split = identity.split;
  }

  /** What was found in the file; undefined if it was not converted completely. @throws CliprpnError bad_input if damaged. */
  read(): AnswersReport | undefined {
    return hasPredictions(this.folder, this.#split) ? readStored("AnswersReport", this.#file) : undefined;
  }

  /** Completes the folder; its predictions are there. */
  write(report: AnswersReport): void {
    replaceFile(this.#file, toJson(report));
  }

  /** Removes predictions that were written for a comparison that was refused. */
  removeIncomplete(): void {
    if (existsSync(this.#file)) return;
    rmSync(this.folder, { recursive: true, force: true });
    removeIfEmpty(dirname(this.folder));
  }

  get #file(): string {
    return join(this.folder, "answers.json");
  }
}

function answersFolder(runsDir: string): string {
  return join(runsDir, "answers");
}

/** The folders of all converted files, complete or not. */
export function answersFolders(runsDir: string): { key: string; folder: string }[] {
  const parent = answersFolder(runsDir);
  return namesIn(parent)
    .filter((name) => /^[0-9a-f]{16}$/.test(name))
    .map((key) => ({ key, folder: join(parent, key) }))
    .filter(({ folder }) => existsSync(folder));
}
