import { performance } from "node:perf_hooks";
import { CliprpnError, EXIT, exitCodeOf } from "../../contract/errors.ts";
import type {
  BridgeMethods,
  ErrorCode,
  TrialEvent,
  TrialOutcome,
  TrialSpec,
} from "../../contract/generated/types.ts";
import type { Method } from "../../worker/worker.ts";
import { Worker } from "../../worker/worker.ts";
import type { Attempt, AttemptSource, AttemptWatcher, Engine } from "../engine.ts";
import { crashPlace } from "./crash-place.ts";
import { isStopped, stopOnAbort } from "./stop-on-abort.ts";

export interface LocalEngineOptions {
  python: string;
  device: string;
  numThreads: number | null;
  /** Receives the output of calls that run no trial. */
  logFile: string;
  /** Aborts all work of the engine. */
  signal?: AbortSignal;
  /** A trial fails after this time. */
  trialTimeoutMs?: number | undefined;
  /** Time that a call gets to stop before its worker is killed. */
  graceMs?: number;
  /** Keeps PYTHONPATH, for an interpreter of the user. */
  keepPythonPath?: boolean;
  /** Further folders of Python modules, searched last. */
  extraModulePath?: readonly string[];
  /** For tests. */
  module?: string;
  env?: NodeJS.ProcessEnv;
}

interface Work {
  watcher: AttemptWatcher;
  signal: AbortSignal;
}

/** Runs trials on warm workers on this machine, one worker per slot. */
export class LocalEngine implements Engine {
  readonly #options: LocalEngineOptions;
  readonly #signal: AbortSignal;
  readonly #workers = new Map<number, Worker>();

  constructor(options: LocalEngineOptions) {
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async run(
    source: AttemptSource,
    watcher: AttemptWatcher,
    numSlots: number,
    signal: AbortSignal,
  ): Promise<void> {
    const errors: unknown[] = [];
    const failed = new AbortController(); // Ends the waits of the other slots: they may last for hours.
    const stop = AbortSignal.any([signal, failed.signal]);
    const slots = Array.from({ length: Math.min(numSlots, source.numWaiting) }, async (_, slot) => {
      try {
        while (source.numWaiting > 0 && !stop.aborted) {
          const worker = await this.#worker(slot, signal); // First: without a worker no attempt begins.
          const attempt = await source.next(stop);
          if (attempt === undefined || stop.aborted) return;
          await this.#runOne(attempt, slot, worker, { watcher, signal });
        }
      } catch (error) {
        errors.push(error); // Thrown after the other slots have finished their attempts.
        failed.abort(error);
      }
    });
    await Promise.all(slots);
    const fault = signal.aborted ? errors.find((error) => !isStopped(error, signal)) : errors[0];
    if (fault !== undefined) throw fault;
  }

  async call<M extends Method>(
    method: M,
    params: BridgeMethods[M]["params"],
    { onEvent, signal = this.#signal }: { onEvent?: (event: TrialEvent) => void; signal?: AbortSignal } = {},
  ): Promise<BridgeMethods[M]["result"]> {
    const worker = await this.#worker(this.#slotOf(method), signal);
    const removeListener = stopOnAbort(worker, signal, this.#graceMs);
    try {
      return await worker.call(method, params, {
        logFile: this.#options.logFile,
        ...(onEvent === undefined ? {} : { onEvent }),
      });
    } catch (error) {
      throw isStopped(error, signal) ? interrupted(error) : withLog(error, params, this.#options.logFile);
    } finally {
      removeListener();
    }
  }

  async device(): Promise<string> {
    const { environment } = (await this.#worker(0, this.#signal)).hello;
    if (environment === null) throw new CliprpnError("internal", "expected a device, found none");
    return environment.device;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.kill()));
    this.#workers.clear();
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 5000;
  }

  async #runOne(attempt: Attempt, slot: number, worker: Worker, work: Work): Promise<void> {
    const started = performance.now();
    work.watcher.started(attempt, slot);
    let outcome: TrialOutcome | undefined;
    try {
      outcome = await this.#outcome(attempt, slot, worker, work);
    } finally {
      await work.watcher.finished(attempt, slot, outcome, performance.now() - started);
    }
    if (outcome?.state === "failed" && suspectWorker.includes(outcome.error.code)) await worker.kill();
  }

  async #outcome(
    attempt: Attempt,
    slot: number,
    worker: Worker,
    { watcher, signal }: Work,
  ): Promise<TrialOutcome | undefined> {
    const removeListener = stopOnAbort(worker, signal, this.#graceMs);
    const timeoutMs = this.#options.trialTimeoutMs;
    const { spec, folder, keep_models, logFile, fusionFile } = attempt;
    const dump =
      timeoutMs === undefined ? undefined : setTimeout(() => worker.logTraceback(), timeoutMs - dumpMs);
    try {
      const { outcome } = await worker.call(
        "run_trial",
        { spec, folder, keep_models, ...(fusionFile === undefined ? {} : { fusion_file: fusionFile }) },
        {
          logFile,
          onEvent: (event) => watcher.event(attempt, slot, event),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
      );
      return outcome;
    } catch (error) {
      return outcomeAfterError(attempt, error, signal);
    } finally {
      clearTimeout(dump);
      removeListener();
    }
  }

  /** Figures need no torch, whose import takes seconds; a worker that has imported it can compute them, too. */
  #slotOf(method: Method): number {
    return figureMethods.has(method) && this.#workers.get(0)?.alive !== true ? figuresSlot : 0;
  }

  /** The worker of a slot; started if the slot has none or its worker died. */
  async #worker(slot: number, signal: AbortSignal): Promise<Worker> {
    if (signal.aborted) throw interrupted(undefined);
    const current = this.#workers.get(slot);
    if (current?.alive) return current;
    await current?.kill();
    const device = slot === figuresSlot ? null : this.#options.device;
    const worker = await Worker.start({ ...this.#options, device, signal });
    this.#workers.set(slot, worker);
    return worker;
  }
}

/** The methods of `bridge/figure_methods.py`, and the slot of the worker that was started for them. */
const figureMethods: ReadonlySet<Method> = new Set<Method>([
  "read_answers",
  "export_questions",
  "summarize",
  "combine",
]);
const figuresSlot = -1;

/** How long before its time limit a trial writes into its log where it is. */
const dumpMs = 500;

/** Errors after which the worker is replaced: a device error or a partial import may affect the next trial. */
const suspectWorker: ErrorCode[] = ["internal", "fusion_invalid", "out_of_memory", "contract_violation"];

/** Errors of code name the log, which has the traceback; a crash names the line of a custom fusion. */
function withLog(error: unknown, params: object, logFile: string): unknown {
  if (!(error instanceof CliprpnError)) return error;
  const { code, message, cause } = error;
  if (code === "worker_died" && "spec" in params)
    return new CliprpnError(code, diedAt(params.spec as TrialSpec, logFile) + message, { cause });
  if (!["internal", "fusion_invalid"].includes(code)) return error;
  return new CliprpnError(code, `${message}; the traceback is in ${logFile}`, { cause });
}

/**
 * The outcome of an attempt whose call failed. `outcome.json` counts, even if the worker died after writing it.
 *
 * @throws CliprpnError for faults of the machine, such as a full disk, which the next trial would hit too.
 */
function outcomeAfterError(attempt: Attempt, error: unknown, signal: AbortSignal): TrialOutcome | undefined {
  const written = attempt.outcome();
  if (written !== undefined) return written;
  if (isStopped(error, signal)) return undefined;
  if (error instanceof CliprpnError && exitCodeOf(error.code) === EXIT.environment) throw error;
  const { code, message } =
    error instanceof CliprpnError ? error : new CliprpnError("internal", String(error));
  return {
    schema_version: 1,
    state: "failed",
    trial_id: attempt.spec.trial_id,
    sources_sha256: attempt.spec.sources_sha256,
    finished_at: new Date().toISOString(),
    error: { code, message: withPlace(code, message, attempt) },
    traceback_file: null,
  };
}

function withPlace(code: ErrorCode, message: string, { spec, logFile, fusionFile }: Attempt): string {
  if (code === "worker_died" || code === "timed_out") return diedAt(spec, logFile, fusionFile) + message;
  return code === "internal" ? `${message}; the traceback is in ${logFile}` : message;
}

/**
 * `my_fusion.py:12, in forward: ` if a crash was in a person's fusion.
 *
 * @param fusionFile the file that the person edits; by default the one that was loaded.
 */
function diedAt(spec: TrialSpec, logFile: string, fusionFile?: string): string {
  if (spec.kind !== "cliprpn" || spec.settings.fusion.kind !== "file") return "";
  const loaded = spec.settings.fusion.file.replace(/:[^:]*$/, "");
  const place = crashPlace(logFile, loaded, fusionFile ?? loaded);
  return place === undefined ? "" : `${place}: `;
}

function interrupted(cause: unknown): CliprpnError {
  return new CliprpnError("interrupted", "Interrupted. Re-run the same command to resume.", {
    cause,
  });
}
