import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode, namesIn, removeFile } from "../base/files.ts";
import { compareTexts } from "../base/format.ts";
import { createFile, replaceFile } from "../base/replace-file.ts";
import { CliprpnError } from "../contract/errors.ts";
import type {
  AcceptedAttempt,
  TrialIdentity,
  TrialOrigin,
  TrialOutcome,
  TrialSpec,
} from "../contract/generated/types.ts";
import { trialIdentityOf, withIdentityDefaults } from "../contract/trial-identity.ts";
import { type AttemptFolder, attemptFolder, attemptNumbers } from "./attempt-folder.ts";
import { codeName } from "./code-manifests.ts";
import { checkStored, parseJson, readStored, readText, schemaVersion, toJson } from "./files.ts";
import { readImportMark } from "./import-marks.ts";
import { hasPredictions } from "./predictions.ts";
import { trialsFolder } from "./trial-ids.ts";

/** The folder of a trial, `trials/<id>`: its spec, its attempts, and which attempt counts. Owns all file names in it. */
export class TrialStore {
  readonly trial_id: string;
  readonly folder: string;
  readonly runsDir: string;

  constructor(runsDir: string, trial_id: string) {
    this.runsDir = runsDir;
    this.trial_id = trial_id;
    this.folder = join(trialsFolder(runsDir), trial_id);
  }

  /**
   * Creates the folder with spec.json and, for a fusion from a file, a copy of its source.
   *
   * @param fusionSource the content of the fusion's file.
   */
  create(spec: TrialSpec, fusionSource?: Buffer): void {
    mkdirSync(this.folder, { recursive: true });
    // The id fixes the content: a copy that differs is damaged.
    if (fusionSource !== undefined && !hasContent(this.fusionFile, fusionSource))
      replaceFile(this.fusionFile, fusionSource);
    if (!existsSync(this.specFile)) createFile(this.specFile, toJson(trialIdentityOf(spec)));
  }

  /** @throws CliprpnError bad_input if spec.json is damaged. */
  identity(): TrialIdentity | undefined {
    const text = readText(this.specFile);
    return text === undefined
      ? undefined
      : checkStored("TrialIdentity", withIdentityDefaults(parseJson(text)), this.specFile);
  }

  get specFile(): string {
    return join(this.folder, "spec.json");
  }

  /** The copy of a fusion's source that the trial and its models load. */
  get fusionFile(): string {
    return join(this.folder, "fusion.py");
  }

  /** Lock of the process that runs this trial. */
  get claimFolder(): string {
    return join(this.folder, "claim");
  }

  /** Creates the folder of a new attempt; no two processes get the same. */
  newAttempt(): AttemptFolder {
    mkdirSync(this.attemptsFolder, { recursive: true });
    for (let number = this.nextNumber(); ; number += 1) {
      try {
        mkdirSync(join(this.attemptsFolder, String(number)));
        return this.attempt(number);
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error;
      }
    }
  }

  /** The number of the next attempt: that of a removed one is not used again. */
  nextNumber(): number {
    return Math.max(0, ...namesIn(this.attemptsFolder).map(attemptNumber)) + 1;
  }

  /** Numbers of all attempts, in order. */
  attempts(): number[] {
    return attemptNumbers(this.attemptsFolder);
  }

  get attemptsFolder(): string {
    return join(this.folder, "attempts");
  }

  attempt(number: number): AttemptFolder {
    return attemptFolder(this.attemptsFolder, number);
  }

  /**
   * The outcome that the worker of an attempt wrote; undefined while it runs, or if it never ended.
   *
   * @throws CliprpnError bad_input if it is damaged.
   */
  outcome(attempt: number): TrialOutcome | undefined {
    return readStored("TrialOutcome", this.#outcomeFile(attempt));
  }

  /**
   * Makes a completed attempt the one that counts for its code, once and for all.
   *
   * @param origin where the attempt came from; by default what its folder says, as after a kill during an import.
   * @param accepted_at for an attempt that ended earlier, when it finished: the newest one is shown.
   * @returns the attempt that counts: another one if that was accepted before.
   */
  accept(
    attempt: number,
    sources_sha256: string,
    origin: TrialOrigin | null = this.importedFrom(attempt),
    accepted_at = new Date().toISOString(),
  ): number {
    mkdirSync(this.#acceptedFolder, { recursive: true });
    const file = this.acceptedFile(sources_sha256);
    const accepted: AcceptedAttempt = {
      schema_version: schemaVersion,
      attempt,
      sources_sha256,
      accepted_at: notInFuture(accepted_at),
      origin,
    };
    if (createFile(file, toJson(accepted))) return attempt;
    return readStored("AcceptedAttempt", file)?.attempt ?? attempt;
  }

  /** Where an imported attempt came from; null for another one. */
  importedFrom(attempt: number): TrialOrigin | null {
    return readImportMark(this.attempt(attempt).folder);
  }

  /** The file that names the attempt which counts for a code. */
  acceptedFile(sources_sha256: string): string {
    return join(this.#acceptedFolder, `${codeName(sources_sha256)}.json`);
  }

  /**
   * The attempts that count, one for each code, newest first.
   *
   * @throws CliprpnError bad_input if a file is damaged, or the outcome of an attempt is gone.
   */
  accepted(): AcceptedAttempt[] {
    return namesIn(this.#acceptedFolder)
      .filter((name) => /^[0-9a-f]{16}\.json$/.test(name))
      .flatMap((name) => {
        const file = join(this.#acceptedFolder, name);
        const accepted = readStored("AcceptedAttempt", file);
        if (accepted === undefined || existsSync(this.#outcomeFile(accepted.attempt))) return accepted ?? [];
        if (!existsSync(file)) return []; // Removed meanwhile, before its attempt.
        throw withoutOutcome(this.#outcomeFile(accepted.attempt), file);
      })
      .sort((a, b) => compareTexts(b.accepted_at, a.accepted_at) || b.attempt - a.attempt);
  }

  /** The attempt to show: the accepted one of this code, else the newest of another. */
  shown(sources_sha256: string): AcceptedAttempt | undefined {
    const accepted = this.accepted();
    return accepted.find((each) => each.sources_sha256 === sources_sha256) ?? accepted[0];
  }

  /** Attempts without an outcome whose training can be continued, newest first; Python checks their code. */
  resumable(): number[] {
    return this.attempts()
      .filter((number) => existsSync(this.checkpointFile(number)) && !existsSync(this.#outcomeFile(number)))
      .reverse();
  }

  /** The checkpoint that training of a later attempt can continue; removed when the trial has completed. */
  checkpointFile(attempt: number): string {
    return join(this.attempt(attempt).folder, "resume.pt");
  }

  /** Call it with the trial's claim, after an attempt was accepted. */
  removeCheckpoints(): void {
    for (const number of this.attempts()) removeFile(this.checkpointFile(number));
  }

  /** The model of an attempt's best epoch; undefined if it kept none, or is a baseline. */
  model(attempt: number): string | undefined {
    const file = join(this.attempt(attempt).folder, "best.safetensors");
    return existsSync(file) ? file : undefined;
  }

  /**
   * Folder of an attempt's predictions on a split: those on val lie in the attempt, later ones in `answers/`.
   *
   * @param otherDatasetId set for another dataset than the trial's own.
   */
  answersFolder(attempt: number, split: string, otherDatasetId?: string): string {
    if (split === "val" && otherDatasetId === undefined) return this.attempt(attempt).folder;
    const folder = this.laterAnswersFolder(attempt);
    return otherDatasetId === undefined ? folder : join(folder, `on-${otherDatasetId}`);
  }

  /** Folder of what an attempt's model predicted after the attempt. */
  laterAnswersFolder(attempt: number): string {
    return join(this.folder, "answers", String(attempt));
  }

  hasAnswers(attempt: number, split: string): boolean {
    return hasPredictions(this.answersFolder(attempt, split), split);
  }

  get #acceptedFolder(): string {
    return join(this.folder, "accepted");
  }

  #outcomeFile(attempt: number): string {
    return join(this.attempt(attempt).folder, "outcome.json");
  }
}

function withoutOutcome(outcomeFile: string, acceptedFile: string): CliprpnError {
  return new CliprpnError(
    "bad_input",
    `${outcomeFile}: expected the outcome of an accepted attempt, found none; restore the attempt's folder from a backup, or remove ${acceptedFile} to run the trial again`,
  );
}

/** The newest accepted attempt is shown, so none may be newer than now. */
function notInFuture(time: string): string {
  const ms = Date.parse(time);
  return new Date(Number.isNaN(ms) ? 0 : Math.min(ms, Date.now())).toISOString();
}

/** The number of an attempt's folder, also of a removed one; 0 for another name. */
function attemptNumber(name: string): number {
  return Number(/^([1-9]\d*)(?:\.removed)?$/.exec(name)?.[1] ?? 0);
}

function hasContent(file: string, content: Buffer): boolean {
  return existsSync(file) && readFileSync(file).equals(content);
}
