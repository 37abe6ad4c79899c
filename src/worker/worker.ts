import { check, checkMessage } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";
import {
  type BridgeMethods,
  type HelloResult,
  schema_sha256,
  type TrialEvent,
} from "../contract/generated/types.ts";
import { Transport, type TransportOptions } from "./transport.ts";

export type Method = keyof BridgeMethods;
export type Params<M extends Method> = BridgeMethods[M]["params"];
export type Result<M extends Method> = BridgeMethods[M]["result"];

export interface WorkerOptions extends TransportOptions {
  /** `auto`, cpu, cuda, cuda:I or mps. */
  device: string;
  numThreads: number | null;
}

export interface WorkerCallOptions {
  onEvent?: (event: TrialEvent) => void;
  logFile?: string;
  timeoutMs?: number;
}

/** A warm Python on one device. What goes over is checked on both ends, in both directions. */
export class Worker {
  readonly hello: HelloResult;
  readonly #transport: Transport;

  private constructor(transport: Transport, hello: HelloResult) {
    this.#transport = transport;
    this.hello = hello;
  }

  /** @throws CliprpnError worker_died, device_unavailable, or contract_violation when Python has another contract. */
  static async start(options: WorkerOptions): Promise<Worker> {
    const transport = await Transport.start(options);
    try {
      const hello = await call(
        transport,
        "hello",
        { schema_sha256, device: options.device, num_threads: options.numThreads },
        {},
      );
      if (hello.schema_sha256 !== schema_sha256) {
        throw new CliprpnError(
          "contract_violation",
          "the Python side has another contract than the TypeScript side; reinstall cliprpn",
        );
      }
      return new Worker(transport, hello);
    } catch (error) {
      await transport.kill();
      throw error;
    }
  }

  get alive(): boolean {
    return this.#transport.alive;
  }

  get pids(): Transport["pids"] {
    return this.#transport.pids;
  }

  /** @throws CliprpnError with the code that Python gave, or worker_died, timed_out, contract_violation. */
  call<M extends Method>(method: M, params: Params<M>, options: WorkerCallOptions = {}): Promise<Result<M>> {
    return call(this.#transport, method, params, options);
  }

  askToStop(): void {
    this.#transport.askToStop();
  }

  kill(): Promise<void> {
    return this.#transport.kill();
  }
}

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
    onEvent: (event) => onEvent?.(check("TrialEvent", JSON.parse(event), "an event from Python")),
  });
  const envelope = check("Envelope", JSON.parse(text), `the reply to ${method}`);
  if (envelope.status === "error") throw new CliprpnError(envelope.error.code, envelope.error.message);
  return checkMessage(method, "result", envelope.value);
}
