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
import { stopOnAbort } from "./stop-on-abort.ts";

export interface LocalEngineOptions {
  python: string;
  device: string;
  numThreads: number | null;
  numSlots: number;
  /** For output outside of trials. */
  logFile: string;
  /** Ends all of its work. */
  signal?: AbortSignal;
  /** A trial that takes longer fails. */
  trialTimeoutMs?: number | undefined;
  /** How long work may take to stop when it is asked to. */
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

/** Warm workers on this machine, one a slot. */
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
    const broken: unknown[] = [];
    const slots = Array.from({ length: Math.min(this.#options.numSlots, trials.length) }, async (_, slot) => {
      try {
        while (queue.length > 0 && broken.length === 0 && !signal.aborted) {
          const worker = await this.#worker(slot, signal);
          const spec = queue.shift();
          if (spec === undefined || signal.aborted) return;
          await this.#runOne(spec, slot, worker, { folders, watcher, signal });
        }
      } catch (error) {
        broken.push(error); // Not thrown yet: the other slots end their trials first.
      }
    });
    await Promise.all(slots);
    if (broken.length > 0 && !signal.aborted) throw broken[0];
  }

  async call<M extends Method>(
    method: M,
    params: BridgeMethods[M]["params"],
    { onEvent, signal = this.#signal }: { onEvent?: (event: TrialEvent) => void; signal?: AbortSignal } = {},
  ): Promise<BridgeMethods[M]["result"]> {
    const worker = await this.#worker(0, signal);
    const forget = stopOnAbort(worker, signal, this.#graceMs);
    try {
      return await worker.call(method, params, {
        logFile: this.#options.logFile,
        ...(onEvent === undefined ? {} : { onEvent }),
      });
    } catch (error) {
      throw signal.aborted ? interrupted(error) : error;
    } finally {
      forget();
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
    if (outcome?.state === "failed" && doubtful.includes(outcome.error.code)) await worker.kill();
  }

  async #outcome(
    spec: TrialSpec,
    slot: number,
    worker: Worker,
    { folders, watcher, signal }: Work,
  ): Promise<TrialOutcome | undefined> {
    const forget = stopOnAbort(worker, signal, this.#graceMs);
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
      forget();
    }
  }

  /**
   * The file is the truth, even where the worker died after it had written it.
   *
   * @throws CliprpnError for what is the machine's fault, such as a full disk: the next trial would fare no better.
   */
  #afterError(
    spec: TrialSpec,
    error: unknown,
    folders: TrialFolders,
    signal: AbortSignal,
  ): TrialOutcome | undefined {
    const written = folders.outcome(spec.trial_id);
    if (written !== undefined) return written;
    if (signal.aborted || (error instanceof CliprpnError && error.code === "interrupted")) return undefined;
    if (error instanceof CliprpnError && exitCodeOf(error.code) === EXIT.environment) throw error;
    const outcome = failure(spec, error, folders);
    folders.writeOutcome(outcome);
    return outcome;
  }

  /** The slot's worker, started when there is none or the last one died. */
  async #worker(slot: number, signal: AbortSignal): Promise<Worker> {
    if (signal.aborted) throw interrupted(undefined);
    const known = this.#workers.get(slot);
    if (known?.alive) return known;
    await known?.kill();
    const worker = await Worker.start({ ...this.#options, signal });
    this.#workers.set(slot, worker);
    return worker;
  }
}

/** After these the process is not trusted with another trial: a device's error or half an import may have left its mark. */
const doubtful: ErrorCode[] = ["internal", "out_of_memory", "contract_violation"];

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
  return new CliprpnError("interrupted", "Interrupted. The same command goes on with what is left.", {
    cause,
  });
}
