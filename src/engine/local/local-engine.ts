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
import type { Engine, TrialFolders, TrialWatcher } from "../engine.ts";
import { isStopped, stopOnAbort } from "./stop-on-abort.ts";

export interface LocalEngineOptions {
  python: string;
  device: string;
  numThreads: number | null;
  numSlots: number;
  /** Receives the output of calls that run no trial. */
  logFile: string;
  /** Aborts all work of the engine. */
  signal?: AbortSignal;
  /** A trial fails after this time. */
  trialTimeoutMs?: number | undefined;
  /** Time that a call gets to stop before its worker is killed. */
  graceMs?: number;
  extraPythonPath?: string | undefined;
  /** For tests. */
  module?: string;
  env?: NodeJS.ProcessEnv;
}

interface Work {
  folders: TrialFolders;
  watcher: TrialWatcher;
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
    trials: TrialSpec[],
    folders: TrialFolders,
    watcher: TrialWatcher,
    signal: AbortSignal,
  ): Promise<void> {
    const queue = [...trials];
    const errors: unknown[] = [];
    const slots = Array.from({ length: Math.min(this.#options.numSlots, trials.length) }, async (_, slot) => {
      try {
        while (queue.length > 0 && errors.length === 0 && !signal.aborted) {
          const worker = await this.#worker(slot, signal);
          const spec = queue.shift();
          if (spec === undefined || signal.aborted) return;
          await this.#runOne(spec, slot, worker, { folders, watcher, signal });
        }
      } catch (error) {
        errors.push(error); // Thrown after the other slots have finished their trials.
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
    const worker = await this.#worker(0, signal);
    const removeListener = stopOnAbort(worker, signal, this.#graceMs);
    try {
      return await worker.call(method, params, {
        logFile: this.#options.logFile,
        ...(onEvent === undefined ? {} : { onEvent }),
      });
    } catch (error) {
      throw isStopped(error, signal) ? interrupted(error) : error;
    } finally {
      removeListener();
    }
  }

  async device(): Promise<string> {
    return (await this.#worker(0, this.#signal)).hello.environment.device;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.kill()));
    this.#workers.clear();
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 5000;
  }

  async #runOne(spec: TrialSpec, slot: number, worker: Worker, work: Work): Promise<void> {
    const started = performance.now();
    work.watcher.started(spec, slot);
    let outcome: TrialOutcome | undefined;
    try {
      outcome = await this.#outcome(spec, slot, worker, work);
    } finally {
      work.watcher.finished(spec, slot, outcome, performance.now() - started);
    }
    if (outcome?.state === "failed" && suspectWorker.includes(outcome.error.code)) await worker.kill();
  }

  async #outcome(
    spec: TrialSpec,
    slot: number,
    worker: Worker,
    { folders, watcher, signal }: Work,
  ): Promise<TrialOutcome | undefined> {
    const removeListener = stopOnAbort(worker, signal, this.#graceMs);
    const timeoutMs = this.#options.trialTimeoutMs;
    try {
      const { outcome } = await worker.call(
        "run_trial",
        { trial_dir: folders.trialDir(spec.trial_id) },
        {
          logFile: folders.logFile(spec.trial_id),
          onEvent: (event) => watcher.event(spec, slot, event),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
      );
      return outcome;
    } catch (error) {
      return this.#afterError(spec, error, folders, signal);
    } finally {
      removeListener();
    }
  }

  /**
   * The outcome of a trial whose call failed. `outcome.json` counts, even if the worker died after writing it.
   *
   * @throws CliprpnError for faults of the machine, such as a full disk, which the next trial would hit too.
   */
  #afterError(
    spec: TrialSpec,
    error: unknown,
    folders: TrialFolders,
    signal: AbortSignal,
  ): TrialOutcome | undefined {
    const stored = folders.outcome(spec.trial_id);
    if (stored !== undefined) return stored;
    if (isStopped(error, signal)) return undefined;
    if (error instanceof CliprpnError && exitCodeOf(error.code) === EXIT.environment) throw error;
    const outcome = failure(spec, error, folders);
    folders.writeOutcome(outcome);
    return outcome;
  }

  /** The worker of a slot; started if the slot has none or its worker died. */
  async #worker(slot: number, signal: AbortSignal): Promise<Worker> {
    if (signal.aborted) throw interrupted(undefined);
    const current = this.#workers.get(slot);
    if (current?.alive) return current;
    await current?.kill();
    const worker = await Worker.start({ ...this.#options, signal });
    this.#workers.set(slot, worker);
    return worker;
  }
}

/** Errors after which the worker is replaced: a device error or a partial import may affect the next trial. */
const suspectWorker: ErrorCode[] = ["internal", "out_of_memory", "contract_violation"];

function failure(spec: TrialSpec, error: unknown, folders: TrialFolders): TrialOutcome {
  const { code, message, cause } =
    error instanceof CliprpnError ? error : new CliprpnError("internal", String(error));
  return {
    state: "failed",
    trial_id: spec.trial_id,
    sources_sha256: spec.sources_sha256,
    finished_at: new Date().toISOString(),
    error: { code, message },
    traceback_file: typeof cause === "string" ? folders.writeTraceback(spec.trial_id, cause) : null,
  };
}

function interrupted(cause: unknown): CliprpnError {
  return new CliprpnError("interrupted", "Interrupted. Re-run the same command to resume.", {
    cause,
  });
}
