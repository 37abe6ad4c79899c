import { check, checkMessage } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";
import {
  type BridgeMethods,
  type ErrorCode,
  type HelloResult,
  schema_sha256,
  type TrialEvent,
} from "../contract/generated/types.ts";
import { requireSameCode } from "./same-code.ts";
import { Transport, type TransportOptions } from "./transport.ts";

export type Method = keyof BridgeMethods;
export type Params<M extends Method> = BridgeMethods[M]["params"];
export type Result<M extends Method> = BridgeMethods[M]["result"];

export interface WorkerOptions extends TransportOptions {
  /** `auto`, cpu, cuda, cuda:I or mps; null for a process that only calls figure methods. */
  device: string | null;
  numThreads: number | null;
}

export interface WorkerCallOptions {
  onEvent?: (event: TrialEvent) => void;
  logFile?: string;
  timeoutMs?: number;
}

/** Importing torch from a network disk can take minutes. */
const helloTimeoutMs = 600_000;

/** A warm Python process on one device. Messages are validated on both ends, in both directions. */
export class Worker {
  readonly hello: HelloResult;
  readonly #transport: Transport;

  private constructor(transport: Transport, hello: HelloResult) {
    this.#transport = transport;
    this.hello = hello;
  }

  /**
   * @throws CliprpnError environment_broken, package_missing, device_unavailable, interrupted, or contract_violation if
   *   Python has another contract, or other code that decides results.
   */
  static async start(options: WorkerOptions): Promise<Worker> {
    let transport: Transport | undefined;
    const onAbort = (): void => {
      transport?.kill().catch(() => undefined); // If it cannot be killed, the start still has its time limit.
    };
    options.signal?.addEventListener("abort", onAbort);
    try {
      transport = await Transport.start(options);
      return new Worker(transport, await greet(transport, options));
    } catch (error) {
      await transport?.kill();
      throw startError(error, options);
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
    }
  }

  get alive(): boolean {
    return this.#transport.alive;
  }

  get pids(): Transport["pids"] {
    return this.#transport.pids;
  }

  /**
   * @throws CliprpnError with Python's error code and its traceback as the cause; or worker_died, worker_killed, timed_out or
   *   contract_violation.
   */
  call<M extends Method>(method: M, params: Params<M>, options: WorkerCallOptions = {}): Promise<Result<M>> {
    return call(this.#transport, method, params, options);
  }

  askToStop(): void {
    this.#transport.askToStop();
  }

  logTraceback(): void {
    this.#transport.logTraceback();
  }

  /** Writes a line into the log, after the output of the last call. */
  note(line: string): void {
    this.#transport.note(line);
  }

  kill(): Promise<void> {
    return this.#transport.kill();
  }
}

async function greet(transport: Transport, { device, numThreads }: WorkerOptions): Promise<HelloResult> {
  const params = { schema_sha256, device, num_threads: numThreads };
  const hello = await call(transport, "hello", params, { timeoutMs: helloTimeoutMs });
  if (hello.schema_sha256 !== schema_sha256)
    throw new CliprpnError(
      "contract_violation",
      "expected the same contract in TypeScript and Python, found different ones; reinstall cliprpn",
    );
  requireSameCode(hello);
  return hello;
}

/** A worker that does not start is a fault of the machine, not of a trial. */
function startError(error: unknown, { python, signal }: WorkerOptions): unknown {
  if (!(error instanceof CliprpnError && startFaults.includes(error.code))) return error;
  if (signal?.aborted) return new CliprpnError("interrupted", "interrupted", { cause: error });
  const next = error.code === "worker_killed" ? "" : ". Run `cliprpn doctor` to see what is missing";
  return new CliprpnError("environment_broken", `${python} did not start: ${error.message}${next}`, {
    cause: error,
  });
}

const startFaults: ErrorCode[] = ["worker_died", "worker_killed", "timed_out"];

async function call<M extends Method>(
  transport: Transport,
  method: M,
  params: Params<M>,
  options: WorkerCallOptions,
): Promise<Result<M>> {
  checkMessage(method, "params", params);
  const { onEvent, ...rest } = options;
  const text = await transport.call(method, JSON.stringify(params), {
    ...rest,
    onEvent: (event) => {
      const where = "an event from Python";
      onEvent?.(check("TrialEvent", parsed(event, where), where));
    },
  });
  const where = `the reply to ${method}`;
  const envelope = check("Envelope", parsed(text, where), where);
  if (envelope.status === "error") {
    const { code, message } = envelope.error;
    throw new CliprpnError(code, message, { cause: envelope.traceback });
  }
  return checkMessage(method, "result", envelope.value);
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliprpnError("contract_violation", `${where}: expected JSON, found ${text.slice(0, 60)}`, {
      cause: error,
    });
  }
}
