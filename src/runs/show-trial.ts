import { join } from "node:path";
import { describeOwner, readOwner } from "../base/owner-lock.ts";
import { changedFiles, codeHash, codeOf } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { ErrorInfo, TrialIdentity, TrialOrigin, TrialOutcome } from "../contract/generated/types.ts";
import type { PresetName } from "../experiment/presets.ts";
import { type Answers, answersOf, type ModelFile, modelsOf } from "../store/attempt-files.ts";
import { readCode } from "../store/code-manifests.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { type AttemptEvents, eventsOf } from "./attempt-events.ts";
import { type Difference, differencesFromPreset } from "./settings.ts";
import { type AskingSweep, sweepsOf } from "./sweeps-of.ts";

/** What `cliprpn show` prints about a trial. */
export interface ShownTrial {
  trial_id: string;
  folder: string;
  identity: TrialIdentity;
  /** Null for a baseline. */
  preset: PresetName | null;
  /** Settings (a) that differ from the preset (b). */
  settings: Difference[];
  sweeps: AskingSweep[];
  /** The process that runs the trial now. */
  running: string | null;
  /** The attempt that reports show: accepted, of the current code if there is one. */
  shown_attempt: number | null;
  /** The newest first. */
  attempts: ShownAttempt[];
  /** Sweeps that cannot be read, which may ask for the trial too. */
  problems: string[];
}

export type ShownAttempt = AttemptResult & {
  number: number;
  folder: string;
  log_file: string;
  /** UTC, ISO 8601; null if no sweep's journal has it. */
  started_at: string | null;
  finished_at: string | null;
  /** The worker that ran it, for people, if it was on another machine than the sweep's process; null otherwise, or if no journal has it. */
  worker: string | null;
  /** True if it counts for its code. */
  accepted: boolean;
  origin: TrialOrigin | null;
  /** Null before it ended. */
  code: AttemptCode | null;
  models: ModelFile[];
  answers: Answers[];
};

/** `unfinished`: interrupted or killed. */
export type AttemptResult =
  | ({ state: "completed"; duration_ms: number } & Pick<
      Extract<TrialOutcome, { state: "completed" }>,
      "environment" | "metrics" | "notes" | "resumed_from" | "micro_batch_size" | "evaluation_batch_size"
    >)
  | { state: "failed"; error: ErrorInfo; traceback_file: string | null }
  | { state: "running" }
  | { state: "unfinished" };

export interface AttemptCode {
  sources_sha256: string;
  is_current: boolean;
  /** Files and packages that changed since; null if unknown. */
  changed: string[] | null;
}

/** @throws CliprpnError not_found; bad_input if a file of the trial is damaged. */
export function showTrial(trial: TrialStore): ShownTrial {
  const { runsDir } = trial;
  const identity = trial.identity();
  if (identity === undefined)
    throw new CliprpnError(
      "not_found",
      `${trial.folder}: expected a trial, found no spec.json; the trial has not started yet`,
    );
  const { kind } = identity;
  const { sweeps, problems } = sweepsOf(trial);
  const preset =
    kind === "cliprpn" ? (sweeps.find((sweep) => sweep.preset !== null)?.preset ?? "default") : null;
  const owner = readOwner(trial.claimFolder);
  const numbers = trial.attempts().reverse();
  const running = owner === undefined ? undefined : numbers[0];
  const events = eventsOf(trial, sweeps);
  const accepted = trial.accepted();
  return {
    trial_id: trial.trial_id,
    folder: trial.folder,
    identity,
    preset,
    settings: differencesFromPreset(identity, preset ?? "default"),
    sweeps,
    running: owner === undefined ? null : describeOwner(owner),
    shown_attempt: trial.shown(codeHash(codeOf(kind)))?.attempt ?? null,
    attempts: numbers.map((number) => {
      const outcome = trial.outcome(number);
      const event = events.get(number);
      const acceptance = accepted.find(({ attempt }) => attempt === number);
      const { folder, logFile } = trial.attempt(number);
      return {
        number,
        ...resultOf(outcome, event, number === running, folder),
        folder,
        log_file: logFile,
        started_at: event?.started_at ?? null,
        finished_at: outcome?.finished_at ?? event?.finished_at ?? null,
        worker: event?.worker ?? null,
        accepted: acceptance !== undefined,
        origin: acceptance?.origin ?? trial.importedFrom(number),
        code: outcome === undefined ? null : codeOfOutcome(outcome, kind, runsDir),
        models: modelsOf(trial, number),
        answers: answersOf(trial, number),
      };
    }),
    problems,
  };
}

function resultOf(
  outcome: TrialOutcome | undefined,
  event: AttemptEvents | undefined,
  isRunning: boolean,
  folder: string,
): AttemptResult {
  if (outcome?.state === "completed") {
    const { durations_ms, environment, metrics, notes } = outcome;
    const { resumed_from = null, micro_batch_size = null, evaluation_batch_size = null } = outcome;
    return {
      state: "completed",
      duration_ms: durations_ms.total,
      environment,
      metrics,
      notes,
      resumed_from,
      micro_batch_size,
      evaluation_batch_size,
    };
  }
  if (outcome?.state === "failed") {
    const { error, traceback_file } = outcome;
    return {
      state: "failed",
      error,
      traceback_file: traceback_file === null ? null : join(folder, traceback_file),
    };
  }
  if (isRunning) return { state: "running" };
  // The controller records what it decides, such as a time limit, in the sweep's journal alone.
  if (event?.error != null) return { state: "failed", error: event.error, traceback_file: null };
  return { state: "unfinished" };
}

function codeOfOutcome(
  { sources_sha256 }: TrialOutcome,
  kind: TrialIdentity["kind"],
  runsDir: string,
): AttemptCode {
  const current = codeOf(kind);
  if (sources_sha256 === codeHash(current)) return { sources_sha256, is_current: true, changed: [] };
  const manifest = readCode(runsDir, sources_sha256);
  const changed = manifest === undefined ? null : changedFiles(manifest, current);
  return { sources_sha256, is_current: false, changed };
}
