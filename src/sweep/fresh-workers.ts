import { CliprpnError } from "../contract/errors.ts";
import type { BridgeMethods } from "../contract/generated/types.ts";
import type { CallOptions, Engine } from "../engine/engine.ts";
import { defaultRetries, failureClassOf, isKilledAtStart } from "./failure-policy.ts";

export interface FreshWorkerOptions {
  /** How often a call is made again. */
  retries?: number | undefined;
  /** Receives what happened. */
  warn: (message: string) => void;
}

/**
 * An engine that makes the calls of a report again, with a new worker, if theirs is lost: they may be made any number of times. Idle
 * workers end before that, since memory may be short. All other calls, and the attempts of a sweep, have policies of their own.
 */
export function withFreshWorkers(
  engine: Engine,
  { retries = defaultRetries.worker_lost, warn }: FreshWorkerOptions,
): Engine {
  const trying = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (let numRetries = 0; ; numRetries += 1)
      try {
        return await work();
      } catch (error) {
        if (!isLost(error) || numRetries >= retries) throw error;
        warn(`${error.message}; trying again with a new worker`);
        await engine.rest?.();
      }
  };
  return {
    call: <M extends keyof BridgeMethods>(
      method: M,
      params: BridgeMethods[M]["params"],
      options?: CallOptions,
    ) => {
      const call = (): Promise<BridgeMethods[M]["result"]> => engine.call(method, params, options);
      return ofReports.has(method) ? trying(call) : call();
    },
    device: () => trying(() => engine.device()),
    launch: (options) => engine.launch(options),
    rest: async () => engine.rest?.(),
    close: () => engine.close(),
  };
}

const ofReports: ReadonlySet<keyof BridgeMethods> = new Set(["evaluate", "summarize", "combine"]);

function isLost(error: unknown): error is CliprpnError {
  if (!(error instanceof CliprpnError)) return false;
  return failureClassOf(error.code) === "worker_lost" || isKilledAtStart(error);
}
