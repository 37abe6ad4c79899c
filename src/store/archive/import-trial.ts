import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type AcquireOptions, acquireOwnerLock } from "../../base/owner-lock.ts";
import { createFile, moveDurably, syncFolder } from "../../base/replace-file.ts";
import type { ExportedFile } from "../../contract/generated/types.ts";
import { toJson } from "../files.ts";
import { importMark, importMarkText } from "../import-marks.ts";
import { TrialStore } from "../trial-store.ts";
import type { ArchivedTrial, FinishedAttempt, NamedFile } from "./check-trial.ts";
import { hasSource, storeSource } from "./fusion-source.ts";
import type { SweepArchive } from "./open-archive.ts";
import { withoutHost } from "./without-machine.ts";

/** Where and how the trials of an archive are imported. */
export interface ImportTarget extends Pick<AcquireOptions, "command" | "signal"> {
  runsDir: string;
  /** A folder below `runsDir` of this import alone, for files that are not complete. */
  staging: string;
  /** Name of the archive, which marks what came from it. */
  from: string;
  /** True if the fusions in the archive may run. */
  trust: boolean;
  /** Called when a trial runs in another process, whose end is waited for. */
  onWait: (trial_id: string, owner: Parameters<NonNullable<AcquireOptions["onWait"]>>[0]) => void;
}

/** What the import of a trial did. */
export interface ImportedTrial {
  trial_id: string;
  /** The attempt in this runs folder that has the outcome; undefined if the archive has none. */
  attempt: number | undefined;
  /** Its number in the archive. */
  archivedAttempt: number | undefined;
  isNew: boolean;
  /** True if it is the one that counts for its code: no other was accepted before. */
  isAccepted: boolean;
  /** False if the trial has a fusion that may not run. */
  isTrusted: boolean;
  /** True if the trial has no other attempts here, so that the numbers in the archive's journal are free. */
  isAlone: boolean;
}

/**
 * Imports a trial: its outcome becomes a new attempt, complete or not at all, and counts for its code unless one was accepted
 * before. An attempt that is here already gets only what it lacks. After a kill, the next call finishes.
 *
 * @param otherAttempts numbers of attempts that the archive's journal names, and that are not in the archive.
 */
export async function importTrial(
  archive: SweepArchive,
  archived: ArchivedTrial,
  otherAttempts: readonly number[],
  target: ImportTarget,
): Promise<ImportedTrial> {
  const { identity, fusion, finished } = archived;
  const { trial_id } = identity;
  const trial = new TrialStore(target.runsDir, trial_id);
  const claim = await acquireOwnerLock(trial.claimFolder, {
    command: target.command ?? "cliprpn import",
    signal: target.signal,
    onWait: (owner) => target.onWait(trial_id, owner),
    onLost: () => undefined, // Another process may use the number of the attempt: then its folder cannot be renamed.
  });
  try {
    const source = fusion && (await archive.read(fusion.file));
    const isTrusted = fusion === undefined || target.trust || hasSource(trial, fusion.source_sha256);
    createFile(trial.specFile, toJson(identity));
    if (source !== undefined) storeSource(trial.folder, source, isTrusted);
    const before = finished && findSame(trial, finished.outcome);
    const isAlone = trial.attempts().every((number) => number === before);
    const attempt =
      finished && (before ?? (await addAttempt(archive, trial, finished, source, isTrusted, target)));
    if (isAlone) reserve(trial, otherAttempts);
    const common = { trial_id, isTrusted, isAlone, attempt, archivedAttempt: finished?.accepted.attempt };
    if (finished === undefined || attempt === undefined)
      return { ...common, isNew: false, isAccepted: false };
    const { folder } = trial.attempt(attempt);
    if (trial.importedFrom(attempt) !== null) {
      if (source !== undefined) storeSource(folder, source, isTrusted);
      await addFiles(archive, finished.files, folder, target);
      await addFiles(archive, finished.answers, trial.answersFolder(attempt, "test"), target);
    }
    const { sources_sha256, accepted_at } = finished.accepted;
    const counts = trial.accept(attempt, sources_sha256, trial.importedFrom(attempt), accepted_at);
    return { ...common, isNew: before === undefined, isAccepted: counts === attempt };
  } finally {
    await claim.release();
  }
}

/** The attempt with this outcome, byte for byte: it was imported before, or was exported here. */
function findSame(trial: TrialStore, { sha256 }: ExportedFile): number | undefined {
  const hash = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
  return trial.attempts().find((number) => {
    const file = join(trial.attempt(number).folder, "outcome.json");
    const content = existsSync(file) ? readFileSync(file) : undefined;
    return content !== undefined && [content, withoutHost(content)].some((each) => hash(each) === sha256);
  });
}

/** Numbers of attempts that only a journal knows are not used here: another attempt would get their entries. */
function reserve(trial: TrialStore, numbers: readonly number[]): void {
  for (const number of numbers) mkdirSync(`${trial.attempt(number).folder}.removed`, { recursive: true });
}

/** Adds an attempt in one step. @returns its number: that in the archive, unless it is used here. */
async function addAttempt(
  archive: SweepArchive,
  trial: TrialStore,
  { accepted, outcome, files }: FinishedAttempt,
  source: Buffer | undefined,
  isTrusted: boolean,
  target: ImportTarget,
): Promise<number> {
  const staged = join(target.staging, `${trial.trial_id}-${randomBytes(4).toString("hex")}`);
  mkdirSync(staged, { recursive: true });
  createFile(join(staged, importMark), importMarkText(target.from));
  if (source !== undefined) storeSource(staged, source, isTrusted);
  for (const { name, file } of [...files, { name: "outcome.json", file: outcome }])
    await extract(archive, file, join(staged, name));
  const number = Math.max(trial.nextNumber(), accepted.attempt);
  mkdirSync(trial.attemptsFolder, { recursive: true });
  moveDurably(staged, trial.attempt(number).folder);
  return number;
}

/** Adds the files that a folder lacks. What others look for first comes last: weights, and predictions. */
async function addFiles(
  archive: SweepArchive,
  files: readonly NamedFile[],
  folder: string,
  target: ImportTarget,
): Promise<void> {
  const isLast = ({ name }: NamedFile): boolean => /\.(safetensors|parquet)$/.test(name);
  for (const { name, file } of [...files.filter((each) => !isLast(each)), ...files.filter(isLast)]) {
    const to = join(folder, name);
    if (existsSync(to)) continue;
    const staged = join(target.staging, randomBytes(8).toString("hex"));
    await extract(archive, file, staged);
    mkdirSync(dirname(to), { recursive: true });
    moveDurably(staged, to);
  }
}

/** Writes a file of the archive, durably. @throws CliprpnError data_invalid if its content has changed since the check. */
export async function extract(archive: SweepArchive, file: ExportedFile, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  const fd = openSync(to, "wx");
  try {
    for await (const chunk of archive.stream(file)) writeFileSync(fd, chunk);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFolder(dirname(to));
}
