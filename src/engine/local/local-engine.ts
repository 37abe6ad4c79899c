import { performance } from "node:perf_hooks";
import { CliprpnError } from "../../contract/errors.ts";
import type { BridgeMethods, TrialEvent, TrialOutcome, TrialSpec } from "../../contract/generated/types.ts";
import type { Method } from "../../worker/worker.ts";
import { Worker } from "../../worker/worker.ts";
import type { Engine, TrialFolders, TrialWatcher } from "../engine.ts";

export interface LocalEngineOptions {
  python: string;
  device: string;
  numThreads: number | null;
  numSlots: number;
  /** For output outside of trials. */
  logFile: string;
  /** A trial that takes longer fails. */
  trialTimeoutMs?: number | undefined;
  /** How long a trial may take to stop when it is asked to. */
  graceMs?: number;
  /** For tests. */
  module?: string;
  extraPythonPath?: string;
}

/** Warm workers on this machine, one a slot. */
export class LocalEngine implements Engine {
  readonly #options: LocalEngineOptions;
  readonly #workers = new Map<number, Worker>();

  constructor(options: LocalEngineOptions) {
    this.#options = options;
  }

  async run(
    trials: TrialSpec[],
    folders: TrialFolders,
    watcher: TrialWatcher,
    signal: AbortSignal,
  ): Promise<void> {
    const queue = [...trials];
    const slots = Array.from({ length: Math.min(this.#options.numSlots, trials.length) }, async (_, slot) => {
      for (let spec = queue.shift(); spec !== undefined && !signal.aborted; spec = queue.shift()) {
        await this.#runOne(spec, slot, folders, watcher, signal);
      }
    });
    await Promise.all(slots);
  }

  async call<M extends Method>(
    method: M,
    params: BridgeMethods[M]["params"],
    { onEvent, signal }: { onEvent?: (event: TrialEvent) => void; signal?: AbortSignal } = {},
  ): Promise<BridgeMethods[M]["result"]> {
    const worker = await this.#worker(0);
    const stop = signal === undefined ? undefined : this.#stopOnAbort(worker, signal);
    try {
      return await worker.call(method, params, {
        logFile: this.#options.logFile,
        ...(onEvent === undefined ? {} : { onEvent }),
      });
    } catch (error) {
      throw signal?.aborted ? new CliprpnError("interrupted", "interrupted", { cause: error }) : error;
    } finally {
      stop?.();
    }
  }

  async device(): Promise<string> {
    return (await this.#worker(0)).hello.environment.device;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.kill()));
    this.#workers.clear();
  }

  async #runOne(
    spec: TrialSpec,
    slot: number,
    folders: TrialFolders,
    watcher: TrialWatcher,
    signal: AbortSignal,
  ): Promise<void> {
    const started = performance.now();
    watcher.started(spec, slot);
    const outcome = await this.#outcome(spec, slot, folders, watcher, signal);
    watcher.finished(spec, slot, outcome, performance.now() - started);
  }

  async #outcome(
    spec: TrialSpec,
    slot: number,
    folders: TrialFolders,
    watcher: TrialWatcher,
    signal: AbortSignal,
  ): Promise<TrialOutcome | undefined> {
    let stop: (() => void) | undefined;
    try {
      const worker = await this.#worker(slot);
      stop = this.#stopOnAbort(worker, signal);
      const timeoutMs = this.#options.trialTimeoutMs;
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
      if (signal.aborted || (error instanceof CliprpnError && error.code === "interrupted")) return undefined;
      const outcome = failure(spec, error);
      folders.writeOutcome(outcome);
      return outcome;
    } finally {
      stop?.();
    }
  }

  /** The slot's worker, started when there is none or the last one died. */
  async #worker(slot: number): Promise<Worker> {
    const known = this.#workers.get(slot);
    if (known?.alive) return known;
    await known?.kill();
    const { python, device, numThreads, logFile, module, extraPythonPath } = this.#options;
    const worker = await Worker.start({
      python,
      device,
      numThreads,
      logFile,
      ...(module === undefined ? {} : { module }),
      ...(extraPythonPath === undefined ? {} : { extraPythonPath }),
    });
    this.#workers.set(slot, worker);
    return worker;
  }

  /** On an abort asks the worker to stop, and ends it when it does not within the grace time. */
  #stopOnAbort(worker: Worker, signal: AbortSignal): () => void {
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      worker.askToStop();
      timer = setTimeout(() => void worker.kill(), this.#options.graceMs ?? 10_000);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
    return () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
  }
}

function failure(spec: TrialSpec, error: unknown): TrialOutcome {
  const { code, message } =
    error instanceof CliprpnError ? error : { code: "internal" as const, message: String(error) };
  return {
    state: "failed",
    trial_id: spec.trial_id,
    sources_sha256: spec.sources_sha256,
    finished_at: new Date().toISOString(),
    error: { code, message },
    traceback_file: null,
  };
}
