import { CliprpnError } from "../../contract/errors.ts";
import type { BridgeMethods, TrialSpec } from "../../contract/generated/types.ts";
import type { Method, Worker } from "../../worker/worker.ts";
import type { CallOptions, Engine, LaunchOptions } from "../engine.ts";
import { diedAt } from "../error-message.ts";
import type { Launcher } from "../launcher.ts";
import { LocalLauncher } from "./local-launcher.ts";
import { isStopped, stopOnAbort } from "./stop-on-abort.ts";
import { WorkerPool } from "./worker-pool.ts";

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
  /** A worker is replaced after as many trials; undefined for the default. */
  renewAfter?: number | undefined;
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

/** Runs calls and trials on warm workers on this machine. */
export class LocalEngine implements Engine {
  readonly #options: LocalEngineOptions;
  readonly #signal: AbortSignal;
  readonly #workers: WorkerPool;
  /** As Python resolved it. */
  #device: string | undefined;

  constructor(options: LocalEngineOptions) {
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#workers = new WorkerPool(options);
  }

  async call<M extends Method>(
    method: M,
    params: BridgeMethods[M]["params"],
    { onEvent, signal = this.#signal, logFile = this.#options.logFile }: CallOptions = {},
  ): Promise<BridgeMethods[M]["result"]> {
    return this.#with(figureMethods.has(method) ? null : this.#options.device, signal, async (worker) => {
      const removeListener = stopOnAbort(worker, signal, this.#graceMs);
      try {
        return await worker.call(method, params, {
          logFile,
          ...(onEvent === undefined ? {} : { onEvent }),
        });
      } catch (error) {
        throw isStopped(error, signal) ? interrupted(error) : withLog(error, params, logFile);
      } finally {
        removeListener();
      }
    });
  }

  async device(): Promise<string> {
    this.#device ??= await this.#with(this.#options.device, this.#signal, async ({ hello }) => {
      if (hello.environment === null) throw new CliprpnError("internal", "expected a device, found none");
      return hello.environment.device;
    });
    return this.#device;
  }

  launch({ slots, tell }: LaunchOptions): Launcher {
    const { device, trialTimeoutMs, renewAfter } = this.#options;
    return new LocalLauncher(this.#workers, {
      // An idle worker is found by the device as it was asked for, such as "auto".
      devices: slots.map((slot) => (slot === this.#device ? device : slot)),
      tell,
      graceMs: this.#graceMs,
      renewal: { maxTrials: renewAfter },
      ...(trialTimeoutMs === undefined ? {} : { trialTimeoutMs }),
    });
  }

  async rest(): Promise<void> {
    await this.#workers.endIdle();
  }

  async close(): Promise<void> {
    await this.#workers.close();
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 5000;
  }

  /** Does something with a worker that does nothing else meanwhile. */
  async #with<Result>(
    device: string | null,
    signal: AbortSignal,
    use: (worker: Worker) => Promise<Result>,
  ): Promise<Result> {
    if (signal.aborted) throw interrupted(undefined);
    const worker = await this.#workers.take(device, signal);
    try {
      return await use(worker);
    } finally {
      this.#workers.giveBack(worker, device);
    }
  }
}

/** The methods of `bridge/figure_methods.py`: they need no torch, whose import takes seconds. */
const figureMethods: ReadonlySet<Method> = new Set<Method>([
  "read_answers",
  "export_questions",
  "summarize",
  "intervals_so_far",
  "combine",
]);

/** Errors of code name the log, which has the traceback; a crash names the line of a custom fusion. */
function withLog(error: unknown, params: object, logFile: string): unknown {
  if (!(error instanceof CliprpnError)) return error;
  const { code, message, cause } = error;
  if (code === "worker_died" && "spec" in params)
    return new CliprpnError(code, diedAt(params.spec as TrialSpec, logFile) + message, { cause });
  if (!["internal", "fusion_invalid"].includes(code)) return error;
  return new CliprpnError(code, `${message}; the traceback is in ${logFile}`, { cause });
}

function interrupted(cause: unknown): CliprpnError {
  return new CliprpnError("interrupted", "Interrupted. Re-run the same command to resume.", {
    cause,
  });
}
