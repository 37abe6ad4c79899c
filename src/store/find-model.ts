import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import { readMark } from "./adopt/adopt-trial.ts";
import { checkTrusted } from "./import-marks.ts";
import { neededModel } from "./needed-model.ts";
import { isTrialId, trialIds } from "./trial-ids.ts";
import { TrialStore } from "./trial-store.ts";

/** What a person means by a trial or model: an attempt of a trial, a model file in it, or a model file from elsewhere. */
export type FoundModel =
  | {
      kind: "trial";
      trial: TrialStore;
      attempt: number;
      /** The model file that was named; undefined for the best epoch's. */
      file: string | undefined;
    }
  | { kind: "file"; file: string };

/**
 * Finds a model by the path of a file, a trial's or an attempt's folder, or by the start of a trial's id.
 *
 * @param currentCode hash of the code for the trial's kind: an attempt of this code is preferred.
 * @throws CliprpnError not_found.
 */
export function findModel(
  name: string,
  { runsDir, cwd }: { runsDir: string; cwd: string },
  currentCode: (trial: TrialStore) => string,
): FoundModel {
  const path = resolve(cwd, name);
  const file = existsSync(path) && statSync(path).isFile() ? path : undefined;
  if (file !== undefined && placeInTrial(path) === undefined) return { kind: "file", file };
  const { trial, attempt } = findTrialOrAttempt(name, { runsDir, cwd });
  return { kind: "trial", trial, attempt: attempt ?? shownAttempt(trial, currentCode), file };
}

/**
 * A trial by the start of its id, or by its folder or a path in it, which may name an attempt.
 *
 * @throws CliprpnError not_found.
 */
export function findTrialOrAttempt(
  name: string,
  { runsDir, cwd }: { runsDir: string; cwd: string },
): { trial: TrialStore; attempt: number | undefined } {
  const path = resolve(cwd, name);
  if (!existsSync(path)) return { trial: findTrial(name, runsDir), attempt: undefined };
  const place = placeInTrial(path);
  if (place !== undefined) return place;
  // A file in the current folder may have the name of a trial.
  const [id] = idsStartingWith(name, runsDir);
  if (id !== undefined) return { trial: findTrial(name, runsDir), attempt: undefined };
  throw notFound(name, runsDir, "a path that is none of these");
}

/** The trial whose id starts like this. @throws CliprpnError not_found. */
export function findTrial(name: string, runsDir: string): TrialStore {
  const matches = idsStartingWith(name, runsDir);
  const [id] = matches;
  if (id !== undefined && matches.length === 1) return new TrialStore(runsDir, id);
  const adopted = matches.length === 0 ? findAdopted(name, runsDir) : undefined;
  if (adopted !== undefined) return adopted;
  throw notFound(
    name,
    runsDir,
    matches.length === 0 ? "none" : `${matches.length}: ${matches.slice(0, maxMatches).join(", ")}`,
  );
}

function idsStartingWith(name: string, runsDir: string): string[] {
  return name.length < 4 ? [] : trialIds(runsDir).filter((id) => id.startsWith(name));
}

/** A trial by the id that it had in the layout of an earlier version, or by its folder there. */
function findAdopted(name: string, runsDir: string): TrialStore | undefined {
  const old_id = basename(name);
  if (!isTrialId(old_id)) return undefined;
  return trialIds(runsDir)
    .map((id) => new TrialStore(runsDir, id))
    .find((trial) =>
      trial.attempts().some((attempt) => readMark(trial.attempt(attempt).folder)?.trial_id === old_id),
    );
}

const maxMatches = 10;

/**
 * The best epoch's model, or the named file.
 *
 * @throws CliprpnError not_found if the attempt kept no model; weights_unsafe if it was imported with a fusion that is not trusted.
 */
export function modelFile(model: FoundModel): string {
  const file = model.kind === "file" ? model.file : (model.file ?? neededModel(model.trial, model.attempt));
  checkTrusted(dirname(file));
  return file;
}

/**
 * Folder for new predictions of a model on a split. Those of a model file lie next to it; those of a trial outside of its
 * attempts, which keep what they wrote.
 *
 * @param otherDatasetId set for another dataset than the trial's own.
 */
export function answersFolder(model: FoundModel, split: string, otherDatasetId?: string): string {
  const named = model.file;
  if (model.kind === "trial" && (named === undefined || basename(named) === "best.safetensors"))
    return otherDatasetId === undefined
      ? model.trial.laterAnswersFolder(model.attempt)
      : model.trial.answersFolder(model.attempt, split, otherDatasetId);
  const folder = model.kind === "trial" ? model.trial.laterAnswersFolder(model.attempt) : dirname(model.file);
  const name = `evaluated-${basename(named ?? "", extname(named ?? ""))}`;
  return join(folder, otherDatasetId === undefined ? name : `${name}-on-${otherDatasetId}`);
}

/** The trial, and the attempt if the path names one, of a path below `trials/<id>`. */
function placeInTrial(path: string): { trial: TrialStore; attempt: number | undefined } | undefined {
  for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) {
    if (!isTrialId(basename(folder)) || !existsSync(join(folder, "spec.json"))) continue;
    const [attempts, number] = path.slice(folder.length + 1).split("/");
    return {
      trial: new TrialStore(dirname(dirname(folder)), basename(folder)),
      attempt: attempts === "attempts" && /^\d+$/.test(number ?? "") ? Number(number) : undefined,
    };
  }
  return undefined;
}

function shownAttempt(trial: TrialStore, currentCode: (trial: TrialStore) => string): number {
  const accepted = trial.shown(currentCode(trial));
  if (accepted !== undefined) return accepted.attempt;
  throw new CliprpnError(
    "not_found",
    `${trial.folder}: expected a completed trial, found ${trial.attempts().length} unfinished or failed attempts; run its sweep first`,
  );
}

function notFound(name: string, runsDir: string, found: string): CliprpnError {
  return new CliprpnError(
    "not_found",
    `${name}: expected a trial's or an attempt's folder, a model file, or the unique prefix of a trial id (4 digits or more) in ${runsDir}, found ${found}`,
  );
}
