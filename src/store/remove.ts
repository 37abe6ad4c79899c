import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { namesIn } from "../base/files.ts";
import { moveDurably, stagingName, syncFolder } from "../base/replace-file.ts";
import { trialsFolder } from "./trial-ids.ts";
import type { TrialStore } from "./trial-store.ts";

/**
 * Removes an attempt and the answers of its model. Call it with the trial's claim. A kill at any time leaves a trial that readers
 * understand, and what is left is a leftover:
 *
 * 1. Its acceptance goes first, so that none names a missing attempt.
 * 2. Then the attempt is renamed in one step to a name that readers ignore, and its answers too.
 * 3. Only then are files removed. The empty folder `<n>.removed` stays: another attempt with this number would get the journal
 *    entries of this one.
 */
export function removeAttempt(trial: TrialStore, attempt: number): void {
  for (const { attempt: accepted, sources_sha256 } of trial.accepted())
    if (accepted === attempt) {
      const file = trial.acceptedFile(sources_sha256);
      rmSync(file);
      syncFolder(dirname(file));
    }
  const { folder } = trial.attempt(attempt);
  const removed = renameAside(folder);
  removeAnswers(trial.laterAnswersFolder(attempt));
  empty(removed);
}

/** Removes a trial with all its attempts: renamed in one step, then removed. Call it with the trial's claim. */
export function removeTrial(trial: TrialStore): void {
  // The claim is renamed too: a process that wants the trial now creates the folder again.
  removeFolder(trial.folder);
}

/** Removes a folder: renamed in one step to a name that readers ignore, then removed. */
export function removeFolder(folder: string): void {
  if (!existsSync(folder)) return;
  const removed = `${folder}${removedEnding}-${randomBytes(4).toString("hex")}`;
  moveDurably(folder, removed);
  rmSync(removed, { recursive: true, force: true });
}

/** True for the name of a folder whose removal was killed. */
export function isRemovedFolder(name: string): boolean {
  return /^[0-9a-f]{16}\.removed-[0-9a-f]{8}$/.test(name);
}

/** Removes files of an attempt in this order. */
export function removeFiles(files: readonly string[]): void {
  for (const file of files) rmSync(file, { force: true });
}

/** Removes what a killed process left: see `leftoversOf`. */
export function removeLeftover(path: string): void {
  if (isRemovedAttempt(path)) empty(path);
  else rmSync(path, { recursive: true, force: true });
}

/** What a killed removal, or a killed write more than a day ago, left in a trial's folder. Call it with the trial's claim. */
export function leftoversOf(trial: TrialStore, isOld: (path: string) => boolean): string[] {
  const answers = dirname(trial.laterAnswersFolder(1));
  const attempts = new Set(trial.attempts().map(String));
  return [
    ...namesIn(trial.attemptsFolder)
      .map((name) => join(trial.attemptsFolder, name))
      .filter((path) => isRemovedAttempt(path) && namesIn(path).length > 0),
    ...namesIn(answers)
      .filter((name) => !attempts.has(name))
      .map((name) => join(answers, name)),
    ...stagingFilesIn(trial.folder).filter(isOld),
  ];
}

/** Trials whose removal was killed. */
export function removedTrials(runsDir: string): string[] {
  return namesIn(trialsFolder(runsDir))
    .filter(isRemovedFolder)
    .map((name) => join(trialsFolder(runsDir), name));
}

/** Files below a folder that were not renamed into place; a live process may be writing them. */
export function stagingFilesIn(folder: string): string[] {
  return namesIn(folder, true)
    .filter((name) => stagingName.test(basename(name)))
    .map((name) => join(folder, name));
}

const removedEnding = ".removed";

function isRemovedAttempt(path: string): boolean {
  return basename(dirname(path)) === "attempts" && /^[1-9]\d*\.removed$/.test(basename(path));
}

function renameAside(folder: string): string {
  const removed = `${folder}${removedEnding}`;
  moveDurably(folder, removed);
  return removed;
}

function removeAnswers(folder: string): void {
  if (existsSync(folder)) rmSync(renameAside(folder), { recursive: true, force: true });
}

function empty(folder: string): void {
  for (const name of namesIn(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}
