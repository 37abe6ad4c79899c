import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createFile } from "../../base/replace-file.ts";
import { CliprpnError, isInterruption } from "../../contract/errors.ts";
import type {
  ErrorInfo,
  PreparationFinished,
  PreparationOutcome,
  PreparationSpec,
  TrialEvent,
  TrialSpec,
} from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import { schemaVersion, toJson } from "../../store/files.ts";
import type { NewEntry } from "../../store/journal.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import type { AttemptFolder } from "../../store/trial-store.ts";
import { defaultRetries, failureClassOf } from "../failure-policy.ts";
import { preparationParts } from "./preparation-parts.ts";

/** Receives what happens to the attempts, to show it. */
export interface PreparationWatcher {
  preparationStarted(attempt: number): void;
  preparationEvent(event: TrialEvent): void;
  preparationEnded(attempt: number, end: PreparationEnd): void;
}

export interface PreparationEnd {
  state: PreparationFinished["state"];
  duration_ms: number;
  error: ErrorInfo | null;
  /** Undefined if it did not complete. */
  outcome?: PreparationOutcome;
}

export interface PreparationOptions {
  store: SweepStore;
  engine: Engine;
  /** The device of each slot. */
  slots: readonly string[];
  watcher: PreparationWatcher;
  /** Appends to the journal. */
  record: (entry: NewEntry) => void;
  signal: AbortSignal;
  /** How often it runs again after its worker was lost. */
  maxRetries?: number | undefined;
}

/**
 * Makes what trials share, before the first one starts: an attempt of its own, with a spec, a log and an outcome in `prepare/<n>/` of
 * the sweep. Trials find it in the cache, and make what is missing there.
 *
 * @throws CliprpnError interrupted; what lies in the machine, such as no_space; the error of a part, if all parts failed and
 * every trial needs one.
 */
export async function prepareFeatures(
  waiting: readonly TrialSpec[],
  options: PreparationOptions,
): Promise<void> {
  const parts = preparationParts(waiting);
  if (parts.length === 0) return;
  const spec: PreparationSpec = { schema_version: schemaVersion, parts };
  const { maxRetries = defaultRetries.worker_lost } = options;
  // Baselines need no features.
  const hasOthers =
    waiting.some(({ kind }) => kind === "baseline") && parts.every(({ make }) => make === "features");
  for (let numRetries = 0; ; numRetries += 1)
    if (await runAttempt(spec, options, { mayRetry: numRetries < maxRetries, hasOthers })) return;
}

interface AttemptRules {
  /** Whether a lost worker may be replaced. */
  mayRetry: boolean;
  /** Whether trials can run if all parts fail. */
  hasOthers: boolean;
}

/** @returns false if the worker was lost, and may be replaced. */
async function runAttempt(
  spec: PreparationSpec,
  { store, watcher, record, ...options }: PreparationOptions,
  rules: AttemptRules,
): Promise<boolean> {
  const attempt = store.newPreparation();
  createFile(join(attempt.folder, "spec.json"), toJson(spec));
  const startedAt = performance.now();
  record({ type: "preparation_started", attempt: attempt.number, num_parts: spec.parts.length });
  watcher.preparationStarted(attempt.number);
  const { state, error, outcome } = await endOf(spec, attempt, { watcher, ...options }, rules);
  const duration_ms = performance.now() - startedAt;
  const info = error === undefined ? null : errorInfo(error);
  record({
    type: "preparation_finished",
    attempt: attempt.number,
    state,
    duration_ms,
    error: info,
  });
  watcher.preparationEnded(attempt.number, {
    state,
    duration_ms,
    error: info,
    ...(outcome === undefined ? {} : { outcome }),
  });
  if (error !== undefined && state !== "retried") throw error;
  return state === "completed";
}

async function endOf(
  spec: PreparationSpec,
  { folder, logFile }: AttemptFolder,
  { engine, slots, watcher, signal }: Pick<PreparationOptions, "engine" | "slots" | "watcher" | "signal">,
  { mayRetry, hasOthers }: AttemptRules,
): Promise<{ state: PreparationEnd["state"]; error?: unknown; outcome?: PreparationOutcome }> {
  const num_lanes = slots[0] === "cpu" ? slots.length : 1;
  const onEvent = (event: TrialEvent): void => watcher.preparationEvent(event);
  try {
    const params = { spec, folder, num_lanes };
    const { outcome } = await engine.call("run_preparation", params, { onEvent, signal, logFile });
    const errors = outcome.parts.flatMap(({ error }) => error ?? []);
    const [first] = errors;
    if (first === undefined || hasOthers || errors.length < outcome.parts.length)
      return { state: "completed", outcome };
    return { state: "failed", error: new CliprpnError(first.code, first.message) };
  } catch (error) {
    if (isInterruption(error, signal)) return { state: "interrupted", error };
    const isLost = error instanceof CliprpnError && failureClassOf(error.code) === "worker_lost";
    return { state: isLost && mayRetry ? "retried" : "failed", error };
  }
}

function errorInfo(error: unknown): ErrorInfo {
  if (error instanceof CliprpnError) return { code: error.code, message: error.message };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}
