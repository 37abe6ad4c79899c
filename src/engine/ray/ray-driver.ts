import { type ChildProcess, spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { OutputTail } from "../../base/output-tail.ts";
import { killGroup } from "../../base/process-group.ts";
import { check } from "../../contract/check.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { RayConnected, RayMessage, RayRequest, RaySetup } from "../../contract/generated/types.ts";
import { packageRoot } from "../../package-root.ts";

/** The interpreter with the Ray of the cluster. */
export interface RayPython {
  python: string;
  /** Its environment. */
  env: NodeJS.ProcessEnv;
  /** Further folders of Python modules. */
  extraModulePath?: readonly string[];
}

export interface RayDriverOptions extends RayPython {
  setup: RaySetup;
  /** Ends the wait for the connection. */
  signal?: AbortSignal;
  /** Receives what the cluster does. */
  onMessage?: (message: RayMessage) => void;
  /** Called once if the driver ends before `close`, with the reason. */
  onLost?: (error: CliprpnError) => void;
}

/**
 * The process that talks to a Ray cluster: `python -m cliprpn_ray`. Its actors end with it, and it ends with this process, even by
 * SIGKILL.
 */
export class RayDriver {
  readonly #options: RayDriverOptions;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #connected: Promise<RayConnected>;
  readonly #stderr = new OutputTail();
  #onConnected: (message: RayConnected) => void = () => undefined;
  #onRefused: (error: CliprpnError) => void = () => undefined;
  #isConnected = false;
  #error: CliprpnError | undefined;
  #isClosed = false;
  #hasExited = false;

  constructor(options: RayDriverOptions) {
    this.#options = options;
    this.#connected = new Promise((resolve, reject) => {
      this.#onConnected = resolve;
      this.#onRefused = reject;
    });
    this.#connected.catch(() => undefined); // `connected` may not be called.
    const { python, env, extraModulePath = [], setup } = options;
    const path = [...extraModulePath, ...(env.PYTHONPATH ? [env.PYTHONPATH] : [])];
    this.#process = spawn(python, ["-m", "cliprpn_ray"], {
      cwd: join(packageRoot, "python"), // For -m; the user's folder may have modules of any name.
      env: { ...env, ...(path.length === 0 ? {} : { PYTHONPATH: path.join(delimiter) }) },
      detached: true, // Ctrl-C is for this process.
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#process.stdin?.on("error", () => undefined); // Its end is told below.
    this.#process.stderr?.on("data", (data: Buffer) => this.#stderr.write(data));
    if (this.#process.stdout !== null)
      createInterface({ input: this.#process.stdout }).on("line", (line) => this.#receive(line));
    this.#exited = new Promise((resolve) => {
      this.#process.on("error", (error) => {
        this.#fail(`${python}: ${error.message}; give the cluster's interpreter with --ray-python`);
        resolve();
      });
      this.#process.on("close", (code, signal) => {
        this.#hasExited = true;
        const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
        this.#fail(this.#stderr.after(`the process that talks to the cluster ${how}`));
        resolve();
      });
    });
    this.#write(setup);
    this.#timeOut();
    this.#endOnAbort();
  }

  /** Waits until it is connected. @throws CliprpnError environment_broken, interrupted. */
  connected(): Promise<RayConnected> {
    return this.#connected;
  }

  send(request: RayRequest): void {
    this.#write(request);
  }

  /** Ends all actors and the driver; one that is not connected, or has failed, may hang in Ray, and is killed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#process.stdin?.end();
    if (!this.#isConnected || this.#error !== undefined) this.#kill();
    const timer = setTimeout(() => this.#kill(), closeMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #write(message: RaySetup | RayRequest): void {
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    let message: RayMessage;
    try {
      message = check("RayMessage", JSON.parse(line), "a message of cliprpn_ray");
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      this.#kill();
      return;
    }
    if (message.type === "failed") this.#fail(message.message);
    else if (!this.#isClosed) this.#options.onMessage?.(message);
    if (message.type !== "connected") return;
    this.#isConnected = true;
    this.#onConnected(message);
  }

  /** Ray has no time limit of its own for some steps. */
  #timeOut(): void {
    const timer = setTimeout(() => {
      if (this.#isConnected || this.#error !== undefined) return;
      const { address } = this.#options.setup;
      this.#fail(`the cluster at ${address} did not answer within ${connectMs / 1000} s; check that it runs`);
      this.#kill();
    }, connectMs);
    timer.unref();
    this.#exited.then(() => clearTimeout(timer)).catch(() => undefined);
  }

  #endOnAbort(): void {
    const { signal } = this.#options;
    const end = (): void => {
      if (this.#isConnected) return;
      this.#failWith(
        new CliprpnError("interrupted", "interrupted before Ray answered; re-run the same command to resume"),
      );
      this.#kill();
    };
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end);
    this.#exited.then(() => signal?.removeEventListener("abort", end)).catch(() => undefined);
  }

  #kill(): void {
    if (!this.#hasExited) killGroup(this.#process.pid);
  }

  #fail(message: string): void {
    this.#failWith(new CliprpnError("environment_broken", `--engine ray: ${message}`));
  }

  #failWith(error: CliprpnError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#onRefused(error);
    if (!this.#isClosed) this.#options.onLost?.(error);
  }
}

/** Time for the head to accept a connection. */
export const reachS = 10;

/** From the start of Python to the connection; a first import of Ray may take half a minute on a busy disk. */
const connectMs = 120_000;

/** Time to end the actors. */
const closeMs = 10_000;
