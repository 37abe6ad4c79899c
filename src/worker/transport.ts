import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { countMemoryKills, describeSystemKill } from "../base/memory.ts";
import { killGroup, signalProcess, spawnGroup } from "../base/process-group.ts";
import { pythonEnv } from "../base/python-env.ts";
import { CliprpnError } from "../contract/errors.ts";
import { packageRoot } from "../package-root.ts";
import { LogFile } from "./log-file.ts";
import type { FromWorker, ToWorker, WorkerConfig } from "./protocol.ts";

export interface TransportOptions {
  python: string;
  /** Receives the output of Python and the worker; a call may name another file. */
  logFile: string;
  /** Keeps PYTHONPATH, for an interpreter of the user. */
  keepPythonPath?: boolean;
  /** Further folders of Python modules, searched last. */
  extraModulePath?: readonly string[];
  /** Aborts the start. */
  signal?: AbortSignal | undefined;
  /** Time limit for Python to start. */
  startTimeoutMs?: number;
  /** For tests: Python module used in place of `cliprpn.bridge.runtime`. */
  module?: string | undefined;
  env?: NodeJS.ProcessEnv;
}

export interface CallOptions {
  /** An error thrown here ends the call and the worker. */
  onEvent?: (text: string) => void;
  logFile?: string;
  timeoutMs?: number;
}

/** A worker process that exchanges text messages. Every call ends and no process is left, however the worker ends. */
export class Transport {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #ready: Promise<void>;
  readonly #memoryKillsBefore = countMemoryKills();
  #pythonPid: number | undefined;
  #log: LogFile;
  #call:
    | {
        id: number;
        resolve: (envelope: string) => void;
        reject: (error: Error) => void;
        options: CallOptions;
      }
    | undefined;
  #nextId = 1;
  #gone: CliprpnError | undefined;
  #onReady: () => void = () => undefined;
  #onGone: (error: Error) => void = () => undefined;

  private constructor(options: TransportOptions) {
    this.#log = new LogFile(options.logFile);
    this.#ready = new Promise((resolve, reject) => {
      this.#onReady = resolve;
      this.#onGone = reject;
    });
    this.#process = spawnGroup(
      process.execPath,
      [...workerEntry(), JSON.stringify(configOf(options))],
      pythonEnv({ ...process.env, ...options.env }, { keepPath: options.keepPythonPath ?? false }),
    );
    this.#process.stdin?.on("error", () => undefined); // Nothing is written to it.
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on("data", (data: Buffer) => this.#log.write(data));
    this.#process.on("message", (message: FromWorker) => this.#receive(message));
    this.#ended = new Promise((resolve) => {
      this.#process.on("error", (error) => {
        this.#end(`the worker could not be started: ${error.message}`);
        if (this.#process.pid === undefined) resolve();
      });
      this.#process.on("exit", (code, signal) => {
        if (signal === null) this.#end(`the worker exited with code ${code}`);
        else this.#endBySignal(`the worker was killed by ${signal}`, signal);
        // Its last output is still in the pipes; a process that left the group may keep them open.
        this.#process.on("close", resolve);
        setTimeout(resolve, 1000).unref();
      });
    });
  }

  /** @throws CliprpnError worker_died, worker_killed or timed_out if the worker or its Python does not start. */
  static async start(options: TransportOptions): Promise<Transport> {
    const transport = new Transport(options);
    const { signal, startTimeoutMs = 60_000 } = options;
    const onAbort = (): void => transport.#end("the start was interrupted");
    signal?.addEventListener("abort", onAbort);
    const timer = setTimeout(() => transport.#timeOut("starting Python", startTimeoutMs), startTimeoutMs);
    try {
      if (signal?.aborted) onAbort();
      await transport.#ready;
      return transport;
    } catch (error) {
      await transport.kill();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  get alive(): boolean {
    return this.#gone === undefined;
  }

  get pids(): { worker: number | undefined; python: number | undefined } {
    return { worker: this.#process.pid, python: this.#pythonPid };
  }

  /**
   * Runs one call; only one at a time.
   *
   * @returns the envelope, as JSON.
   * @throws CliprpnError worker_died, worker_killed (by the system) or timed_out; the worker has ended then.
   */
  call(method: string, params: string, options: CallOptions = {}): Promise<string> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    if (this.#call !== undefined)
      return Promise.reject(new CliprpnError("internal", "a worker takes one call at a time"));
    if (options.logFile !== undefined) this.#switchLog(options.logFile);
    const { timeoutMs } = options;
    const id = this.#nextId++;
    const reply = new Promise<string>((resolve, reject) => {
      this.#call = { id, resolve, reject, options };
    });
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => this.#timeOut(method, timeoutMs), Math.min(timeoutMs, longestTimer));
    const message: ToWorker = { type: "call", id, method, params };
    this.#process.send(message, (error) => {
      if (error !== null) this.#end(`the worker could not be reached: ${error.message}`);
    });
    return reply.finally(() => clearTimeout(timer));
  }

  /** Asks the running call to stop; it ends with `interrupted`. */
  askToStop(): void {
    // Only to Python: in Node this signal opens the debugger port.
    if (this.#pythonPid !== undefined && this.alive) signalProcess(this.#pythonPid, "SIGUSR1");
  }

  /** Asks Python to write into its log where it is. */
  logTraceback(): void {
    if (this.#pythonPid !== undefined && this.alive) signalProcess(this.#pythonPid, "SIGUSR2");
  }

  /** Writes a line with the time into the log. */
  note(line: string): void {
    const time = new Date().toISOString().replace("T", " ").slice(0, 19);
    this.#log.write(Buffer.from(`${time} UTC ${line}\n`));
  }

  /** Kills the worker, its Python and all their children. */
  async kill(): Promise<void> {
    this.#end("the worker was ended");
    await this.#ended;
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream?.destroy();
    this.#log.close();
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "ready":
        this.#pythonPid = message.python_pid;
        this.#onReady();
        return;
      case "event":
        this.#onEvent(message.text);
        return;
      case "python_gone":
        if (message.signal === undefined) this.#end(message.reason);
        else this.#endBySignal(message.reason, message.signal);
        return;
      case "reply": {
        const call = this.#call;
        if (call?.id !== message.id) return;
        this.#call = undefined;
        call.resolve(message.envelope);
      }
    }
  }

  #onEvent(event: string): void {
    try {
      this.#call?.options.onEvent?.(event);
    } catch (error) {
      this.#endWith(error instanceof CliprpnError ? error : new CliprpnError("internal", String(error)));
    }
  }

  #timeOut(what: string, timeoutMs: number): void {
    this.#endWith(
      new CliprpnError("timed_out", `${what} took longer than ${timeoutMs / 1000} s and was stopped`),
    );
  }

  /** SIGKILL comes from the system: all that this process kills has an error before. */
  #endBySignal(reason: string, signal: NodeJS.Signals): void {
    if (signal !== "SIGKILL") this.#end(reason);
    else {
      const why = describeSystemKill(this.#memoryKillsBefore);
      this.#endWith(new CliprpnError("worker_killed", `${reason}: ${why}; ${this.#outputIn}`));
    }
  }

  #end(reason: string): void {
    this.#endWith(new CliprpnError("worker_died", `${reason}; ${this.#outputIn}`));
  }

  get #outputIn(): string {
    return `its output, if any, is in ${this.#log.path}`;
  }

  #endWith(error: CliprpnError): void {
    this.#gone ??= error;
    killGroup(this.#process.pid);
    const call = this.#call;
    this.#call = undefined;
    call?.reject(this.#gone);
    this.#onGone(this.#gone);
  }

  #switchLog(file: string): void {
    if (file === this.#log.path) return;
    this.#log.close();
    this.#log = new LogFile(file);
  }
}

/** Node fires a longer timer immediately. */
const longestTimer = 2 ** 31 - 1;

function configOf({ python, extraModulePath = [], module }: TransportOptions): WorkerConfig {
  return {
    python,
    modulePath: [join(packageRoot, "python")],
    extraModulePath: [...extraModulePath],
    module: module ?? "cliprpn.bridge.runtime",
  };
}

/** Entry of the worker process: the source through tsx, or the bundle's. */
function workerEntry(): string[] {
  if (!import.meta.url.endsWith(".ts")) return [join(packageRoot, "dist/worker-main.js")];
  return [
    "--import",
    import.meta.resolve("tsx"),
    fileURLToPath(new URL("./worker-main.ts", import.meta.url)),
  ];
}
