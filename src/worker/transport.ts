import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliprpnError } from "../contract/errors.ts";
import { packageRoot } from "../package-root.ts";
import type { FromWorker, ToWorker, WorkerConfig } from "./protocol.ts";

export interface TransportOptions {
  python: string;
  /** Python's and the worker's output goes here until a call names another file. */
  logFile: string;
  /** For tests: another Python module in place of `cliprpn.runtime`, and where it lies. */
  module?: string;
  extraPythonPath?: string;
  env?: NodeJS.ProcessEnv;
}

export interface CallOptions {
  onEvent?: (text: string) => void;
  logFile?: string;
  timeoutMs?: number;
}

/** A worker process, reached by text. Whatever happens to it, every call ends, and no process is left. */
export class Transport {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #pythonPid: number | undefined;
  #log: WriteStream;
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
  #onReady: (() => void) | undefined;
  #onGone: ((error: Error) => void) | undefined;

  private constructor(options: TransportOptions) {
    const config: WorkerConfig = {
      python: options.python,
      pythonPath: [join(packageRoot, "python"), options.extraPythonPath]
        .filter((path) => path !== undefined)
        .join(":"),
      module: options.module ?? "cliprpn.runtime",
    };
    this.#log = openLog(options.logFile);
    this.#process = spawn(process.execPath, [...workerEntry(), JSON.stringify(config)], {
      detached: true, // A group of its own, so that all of it can be ended at once.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, ...options.env },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (data: Buffer) => {
        if (!this.#log.write(data)) {
          stream.pause();
          this.#log.once("drain", () => stream.resume());
        }
      });
    }
    this.#process.on("message", (message: FromWorker) => this.#receive(message));
    this.#process.on("error", (error) => this.#end(`the worker could not be started: ${error.message}`));
    this.#ended = new Promise((resolve) => {
      this.#process.on("exit", (code, signal) => {
        this.#end(
          signal === null ? `the worker ended with exit code ${code}` : `the worker was ended by ${signal}`,
        );
        killGroup(this.#process.pid);
        resolve();
      });
    });
  }

  /** @throws CliprpnError worker_died when the worker or its Python does not come up. */
  static async start(options: TransportOptions): Promise<Transport> {
    const transport = new Transport(options);
    await new Promise<void>((resolve, reject) => {
      transport.#onReady = resolve;
      transport.#onGone = reject;
      if (transport.#gone !== undefined) reject(transport.#gone);
    });
    return transport;
  }

  get alive(): boolean {
    return this.#gone === undefined;
  }

  get pids(): { worker: number | undefined; python: number | undefined } {
    return { worker: this.#process.pid, python: this.#pythonPid };
  }

  /**
   * One call; the next waits for its end.
   *
   * @returns the envelope, as JSON.
   * @throws CliprpnError worker_died or timed_out; the worker is gone then.
   */
  call(method: string, params: string, options: CallOptions = {}): Promise<string> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    if (this.#call !== undefined)
      return Promise.reject(new CliprpnError("internal", "a worker takes one call at a time"));
    if (options.logFile !== undefined) this.#switchLog(options.logFile);
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    const reply = new Promise<string>((resolve, reject) => {
      this.#call = { id, resolve, reject, options };
      if (options.timeoutMs !== undefined) {
        timer = setTimeout(() => this.#timeOut(method, options.timeoutMs ?? 0), options.timeoutMs);
      }
    });
    const message: ToWorker = { type: "call", id, method, params };
    this.#process.send(message, (error) => {
      if (error !== null) this.#end(`the worker could not be reached: ${error.message}`);
    });
    return reply.finally(() => clearTimeout(timer));
  }

  /** Asks the running call to stop soon; it ends with `interrupted`. */
  askToStop(): void {
    // To Python alone: in Node this signal opens the debugger's port.
    if (this.#pythonPid !== undefined && this.alive) process.kill(this.#pythonPid, "SIGUSR1");
  }

  /** Ends the worker, its Python and all of their children, now. */
  async kill(): Promise<void> {
    killGroup(this.#process.pid);
    await this.#ended;
    this.#log.end();
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "ready":
        this.#pythonPid = message.python_pid;
        this.#onReady?.();
        return;
      case "event":
        this.#call?.options.onEvent?.(message.text);
        return;
      case "python_gone":
        this.#end(message.reason);
        killGroup(this.#process.pid);
        return;
      case "reply": {
        const call = this.#call;
        if (call?.id !== message.id) return;
        this.#call = undefined;
        call.resolve(message.envelope);
      }
    }
  }

  #timeOut(method: string, timeoutMs: number): void {
    const error = new CliprpnError(
      "timed_out",
      `${method} took longer than ${timeoutMs / 1000} s and was ended`,
    );
    this.#gone ??= error;
    killGroup(this.#process.pid);
    this.#fail(error);
  }

  #end(reason: string): void {
    this.#gone ??= new CliprpnError("worker_died", `${reason}; its last output is in ${this.#log.path}`);
    this.#fail(this.#gone);
    this.#onGone?.(this.#gone);
  }

  #fail(error: Error): void {
    const call = this.#call;
    this.#call = undefined;
    call?.reject(error);
  }

  #switchLog(file: string): void {
    this.#log.end();
    this.#log = openLog(file);
  }
}

function openLog(file: string): WriteStream {
  const log = createWriteStream(file, { flags: "a" });
  log.on("error", () => undefined); // A log that cannot be written must not end a trial.
  return log;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** From the sources through tsx, otherwise the bundle's own entry. */
function workerEntry(): string[] {
  if (!import.meta.url.endsWith(".ts")) return [join(packageRoot, "dist/worker-main.js")];
  return [
    "--import",
    import.meta.resolve("tsx"),
    fileURLToPath(new URL("./worker-main.ts", import.meta.url)),
  ];
}
