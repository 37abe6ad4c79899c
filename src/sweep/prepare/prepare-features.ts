import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createFile } from "../../base/replace-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type {
  ErrorInfo,
  PreparationFinished,
  PreparationOutcome,
  PreparationSpec,
  TrialEvent,
  TrialSpec,
} from "../../contract/generated/types.ts";
import type { AttemptEnd, Launcher, Preparation } from "../../engine/launcher.ts";
import type { AttemptFolder } from "../../store/attempt-folder.ts";
import { readStored, readText, schemaVersion, toJson } from "../../store/files.ts";
import type { NewEntry } from "../../store/journal.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { defaultRetries, failureClassOf } from "../failure-policy.ts";
import { PreparationLimits } from "./preparation-limits.ts";
import { preparationParts } from "./preparation-parts.ts";

/** Receives what happens to the attempts, to show it. */
export interface PreparationWatcher {
  /** No worker has it yet. */
  preparationWaits(attempt: number): void;
  /** @param worker where it runs, if that is not this machine. */
  preparationStarted(attempt: number, worker?: string): void;
  preparationEvent(event: TrialEvent): void;
  /** @param end undefined if it was interrupted before a worker had it. */
  preparationEnded(attempt: number, end: PreparationEnd | undefined): void;
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
  launcher: Launcher;
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
 * Makes what trials share, before the first one starts, on a worker of the kind that runs them: an attempt of its own, with a spec, a
 * log and an outcome in `prepare/<n>/` of the sweep. Trials find it in the cache, and make what is missing there.
 *
 * @throws CliprpnError interrupted; what lies in the machine, such as no_space; the error of a part, if all parts failed and
 * every trial needs one.
 */
export async function prepareFeatures(
  waiting: readonly TrialSpec[],
  options: PreparationOptions,
): Promise<void> {
  const spec = preparationSpec(waiting);
  if (spec === undefined || options.launcher.prepare === undefined) return;
  const { maxRetries = defaultRetries.worker_lost } = options;
  // Baselines need no features.
  const hasOthers =
    waiting.some(({ kind }) => kind === "baseline") && spec.parts.every(({ make }) => make === "features");
  const limits = new PreparationLimits();
  for (let numRetries = 0; ; ) {
    const end = await runAttempt(spec, options, { mayRetry: numRetries < maxRetries, hasOthers, limits });
    if (end === "completed") return;
    if (end === "lost") numRetries += 1;
  }
}

/** @returns undefined if nothing is shared. */
export function preparationSpec(waiting: readonly TrialSpec[]): PreparationSpec | undefined {
  const parts = preparationParts(waiting);
  return parts.length === 0 ? undefined : { schema_version: schemaVersion, parts };
}

/** A new attempt, in a new folder with its spec; or the one that has run since an earlier process ran the sweep, if it makes the same. */
export function preparationAttempt(
  spec: PreparationSpec,
  { store, launcher, slots }: Pick<PreparationOptions, "store" | "launcher" | "slots">,
): Preparation {
  const left = launcher.leftPreparation?.();
  const isSame = left !== undefined && readText(specFile(store.preparations.at(left))) === toJson(spec);
  const attempt = isSame ? store.preparations.at(left) : store.preparations.create();
  if (!isSame) createFile(specFile(attempt), toJson(spec));
  return {
    ...attempt,
    spec,
    numLanes: slots[0] === "cpu" ? slots.length : 1,
    outcome: () => readStored("PreparationOutcome", join(attempt.folder, "outcome.json")),
  };
}

function specFile({ folder }: AttemptFolder): string {
  return join(folder, "spec.json");
}

interface AttemptRules {
  /** Whether a lost worker may be replaced. */
  mayRetry: boolean;
  /** Whether trials can run if all parts fail. */
  hasOthers: boolean;
  limits: PreparationLimits;
}

/** How an attempt ended after which the sweep goes on. */
type GoingOn = "completed" | "lost" | "preempted";

async function runAttempt(
  spec: PreparationSpec,
  { store, launcher, slots, watcher, record, signal }: PreparationOptions,
  rules: AttemptRules,
): Promise<GoingOn> {
  const preparation = preparationAttempt(spec, { store, launcher, slots });
  const { number: attempt } = preparation;
  watcher.preparationWaits(attempt);
  let startedAt: number | undefined;
  const ended = await launcher.prepare?.(preparation, {
    signal,
    onStarted: (worker) => {
      startedAt = performance.now();
      const where = worker === undefined ? {} : { worker };
      record({ type: "preparation_started", attempt, num_parts: spec.parts.length, ...where });
      watcher.preparationStarted(attempt, worker);
    },
    onEvent: (event) => {
      rules.limits.onEvent(event);
      watcher.preparationEvent(event);
    },
  });
  const { goesOn, end, error } = judge(ended ?? { how: "canceled" }, rules);
  const duration_ms = startedAt === undefined ? 0 : performance.now() - startedAt;
  const isKnown = startedAt !== undefined || end.state !== "interrupted";
  if (isKnown)
    record({ type: "preparation_finished", attempt, state: end.state, duration_ms, error: end.error });
  watcher.preparationEnded(attempt, isKnown ? { ...end, duration_ms } : undefined);
  if (goesOn === undefined) throw error;
  return goesOn;
}

interface Judged {
  /** Undefined if its error ends the sweep. */
  goesOn?: GoingOn;
  end: Omit<PreparationEnd, "duration_ms">;
  error?: CliprpnError;
}

function judge(given: AttemptEnd<PreparationOutcome>, { mayRetry, hasOthers, limits }: AttemptRules): Judged {
  const ended = limits.check(given);
  switch (ended.how) {
    case "outcome": {
      const { outcome } = ended;
      const errors = outcome.parts.flatMap(({ error }) => error ?? []);
      const [first] = errors;
      if (first === undefined || hasOthers || errors.length < outcome.parts.length)
        return { goesOn: "completed", end: { state: "completed", error: null, outcome } };
      return ofError("failed", new CliprpnError(first.code, first.message));
    }
    case "canceled":
      return ofError("interrupted", new CliprpnError("interrupted", interruptedText));
    case "preempted": {
      const error = new CliprpnError("interrupted", `its worker was taken away: ${ended.reason}`);
      return { ...ofError("retried", error), goesOn: "preempted" };
    }
    case "error": {
      const { error } = ended;
      const isRetried = mayRetry && failureClassOf(error.code) === "worker_lost";
      return isRetried ? { ...ofError("retried", error), goesOn: "lost" } : ofError("failed", error);
    }
  }
}

function ofError(state: PreparationEnd["state"], error: CliprpnError): Judged {
  return { end: { state, error: { code: error.code, message: error.message } }, error };
}

const interruptedText = "Interrupted. Re-run the same command to resume.";
