import { existsSync } from "node:fs";
import { join } from "node:path";
import { namesIn, sizeOf } from "../base/files.ts";
import type { TrialStore } from "./trial-store.ts";

/** A model that an attempt kept. */
export interface ModelFile {
  /** Of the epoch that was selected on val, or of the last one. */
  epoch: "best" | "last";
  file: string;
  bytes: number;
}

export function modelsOf(trial: TrialStore, attempt: number): ModelFile[] {
  const { folder } = trial.attempt(attempt);
  return (["best", "last"] as const).flatMap((epoch) => {
    const file = join(folder, `${epoch}.safetensors`);
    return existsSync(file) ? [{ epoch, file, bytes: sizeOf(file) }] : [];
  });
}

/** The files of the last epoch's model; its weights come first. */
export function lastModelFiles(trial: TrialStore, attempt: number): string[] {
  const { folder } = trial.attempt(attempt);
  return ["last.safetensors", "last.json"]
    .map((name) => join(folder, name))
    .filter((file) => existsSync(file));
}

/** Complete predictions of an attempt's model on a split. */
export interface Answers {
  split: string;
  /** Null for the trial's own dataset. */
  dataset_id: string | null;
  /** The folder of the predictions and their metrics. */
  folder: string;
}

export function answersOf(trial: TrialStore, attempt: number): Answers[] {
  const later = trial.laterAnswersFolder(attempt);
  const others = namesIn(later)
    .sort()
    .filter((name) => name.startsWith(otherPrefix));
  return [
    ...answersIn(trial.attempt(attempt).folder, null),
    ...answersIn(later, null),
    ...others.flatMap((name) => answersIn(join(later, name), name.slice(otherPrefix.length))),
  ];
}

const otherPrefix = "on-";

function answersIn(folder: string, dataset_id: string | null): Answers[] {
  return namesIn(folder)
    .sort()
    .flatMap((name) => {
      const split = /^predictions-(.+)\.parquet$/.exec(name)?.[1];
      return split === undefined ? [] : [{ split, dataset_id, folder }];
    });
}
