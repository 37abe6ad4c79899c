import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { namesIn } from "../../base/files.ts";
import { compareTexts } from "../../base/format.ts";
import { OwnerLock, tryOwnerLock } from "../../base/owner-lock.ts";
import { createFile, moveDurably, replaceFile } from "../../base/replace-file.ts";
import type { FileFusion } from "../../contract/generated/types.ts";
import { parseJson, readText, toJson } from "../files.ts";
import { TrialStore } from "../trial-store.ts";
import { type OldTrial, upgradeModelFacts, upgradeOutcome } from "./old-layout.ts";

/** A trial of a sweep of the old layout. */
export interface OldTrialFolder extends OldTrial {
  /** Name of the sweep's folder. */
  from: string;
  folder: string;
}

/** An attempt that was a trial's folder in the old layout. */
export interface AdoptedAttempt {
  trial: TrialStore;
  attempt: number;
  /** The trial's id in the old layout. */
  old_id: string;
  /** The fusion's file, if the source that the trial ran with is not known any more. */
  missingSource: FileFusion | undefined;
}

/**
 * Makes a trial's folder an attempt, with the names and formats of today. The files are converted where they lie, then the folder
 * is renamed in one step; after a kill, the next call finishes.
 *
 * @returns false if another process is running the trial.
 */
export async function moveTrial(runsDir: string, old: OldTrialFolder): Promise<boolean> {
  const { folder, from, old_id, spec } = old;
  if (!hasResults(folder)) return true;
  const trial = new TrialStore(runsDir, spec.trial_id);
  convertOutcome(folder, spec.trial_id);
  for (const name of ["best.json", "last.json"]) convertFacts(join(folder, name));
  const source = spec.kind === "cliprpn" ? findSource(spec.settings.fusion, trial) : undefined;
  if (source !== undefined) createFile(join(folder, "fusion.py"), source);
  createFile(join(folder, markFile), toJson({ schema_version: 1, from, trial_id: old_id }));
  const claim = await tryOwnerLock(trial.claimFolder, { onLost: () => undefined });
  if (!(claim instanceof OwnerLock)) return false;
  try {
    trial.create(spec, source);
    mkdirSync(trial.attemptsFolder, { recursive: true });
    moveDurably(folder, trial.attempt(trial.nextNumber()).folder);
  } finally {
    await claim.release();
  }
  return true;
}

/** The attempts of a trial that came from a folder of the old layout, with later answers moved to their place of today. */
export function finishMoved(runsDir: string, { from, spec }: OldTrialFolder): AdoptedAttempt[] {
  const trial = new TrialStore(runsDir, spec.trial_id);
  return trial.attempts().flatMap((attempt) => {
    const { folder } = trial.attempt(attempt);
    const mark = readMark(folder);
    if (mark?.from !== from) return [];
    moveAnswers(folder, trial.laterAnswersFolder(attempt));
    const isMissing = trial.model(attempt) !== undefined && !existsSync(join(folder, "fusion.py"));
    const missingSource =
      isMissing && spec.kind === "cliprpn" && spec.settings.fusion.kind === "file"
        ? spec.settings.fusion
        : undefined;
    return [{ trial, attempt, old_id: mark.trial_id, missingSource }];
  });
}

/** What an attempt that was adopted says about where it came from. */
export function readMark(attemptFolder: string): { from: string; trial_id: string } | undefined {
  const mark = parseJson(readText(join(attemptFolder, markFile)) ?? "");
  return typeof mark === "object" &&
    mark !== null &&
    "from" in mark &&
    typeof mark.from === "string" &&
    "trial_id" in mark &&
    typeof mark.trial_id === "string"
    ? { from: mark.from, trial_id: mark.trial_id }
    : undefined;
}

/** True for an attempt whose outcome was set aside: by `convertOutcome`, or by the earlier version before a run that never ended. */
export function hasSetAside(attemptFolder: string): boolean {
  return namesIn(attemptFolder).some((name) => /^outcome-.*\.json$/.test(name));
}

const markFile = "adopted.json";

/** False for a trial that has never run, or has been moved. */
function hasResults(folder: string): boolean {
  return namesIn(folder).some((name) => name !== "spec.json");
}

/** A damaged outcome is set aside: it does not count, as before. */
function convertOutcome(folder: string, trial_id: string): void {
  const file = join(folder, "outcome.json");
  const text = readText(file);
  if (text === undefined) {
    restoreOutcome(folder, trial_id);
    return;
  }
  const outcome = upgradeOutcome(parseJson(text), trial_id);
  if (outcome === undefined) renameSync(file, join(folder, "outcome-unreadable.json"));
  else if (toJson(outcome) !== text) replaceFile(file, toJson(outcome));
}

/**
 * The earlier version renamed the outcomes of all stale trials before it ran the first of them. The results of a trial that it
 * never ran again are still those of its renamed outcome.
 */
function restoreOutcome(folder: string, trial_id: string): void {
  const metrics = parseJson(readText(join(folder, "metrics-val.json")) ?? "");
  const [restored] = namesIn(folder)
    .filter((name) => /^outcome-.*\.json$/.test(name))
    .flatMap((name) => upgradeOutcome(parseJson(readText(join(folder, name)) ?? ""), trial_id) ?? [])
    .filter((outcome) => outcome.state === "completed" && isSame(outcome.metrics, metrics))
    .filter(
      (outcome) =>
        outcome.state === "completed" &&
        (outcome.epochs.length === 0 || existsSync(join(folder, "best.safetensors"))),
    )
    .sort((a, b) => compareTexts(b.finished_at, a.finished_at));
  if (restored !== undefined) replaceFile(join(folder, "outcome.json"), toJson(restored));
}

function convertFacts(file: string): void {
  const text = readText(file);
  if (text === undefined) return;
  const facts = upgradeModelFacts(parseJson(text), file);
  if (facts !== undefined) replaceFile(file, toJson(facts));
}

/** The source that a fusion ran with, from its file if that has not changed; undefined for a fusion of cliprpn. */
function findSource(fusion: { kind: string } | FileFusion, trial: TrialStore): Buffer | undefined {
  if (!("file" in fusion)) return undefined;
  const files = [trial.fusionFile, fusion.file.slice(0, fusion.file.lastIndexOf(":"))];
  return files
    .map(readBytes)
    .find(
      (source) =>
        source !== undefined && createHash("sha256").update(source).digest("hex") === fusion.source_sha256,
    );
}

/** Predictions on other splits than val, and by other models or on other data, lie outside of the attempt now. */
function moveAnswers(attemptFolder: string, answers: string): void {
  const isLater = (name: string): boolean =>
    /^(predictions|metrics)-(?!val\.)/.test(name) || name.startsWith("evaluated-");
  for (const name of namesIn(attemptFolder).filter(isLater)) {
    mkdirSync(answers, { recursive: true });
    // Of the best epoch on other data.
    moveDurably(join(attemptFolder, name), join(answers, name.replace(/^evaluated-best-on-/, "on-")));
  }
}

function isSame(a: object, b: unknown): boolean {
  if (typeof b !== "object" || b === null) return false;
  const others = new Map(Object.entries(b));
  return Object.entries(a).every(([key, value]) => others.get(key) === value);
}

function readBytes(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
