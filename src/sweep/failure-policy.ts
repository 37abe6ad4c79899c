import { CliprpnError, EXIT, exitCodeOf } from "../contract/errors.ts";
import type { ErrorCode } from "../contract/generated/types.ts";

/** What a failure says about the next try. */
export type FailureClass =
  /** Its settings, data or code: it would fail again. */
  | "trial"
  | "out_of_memory"
  | "loss_not_finite"
  /** The process is gone: a crash, or the system killed it, as Linux does where memory is short. */
  | "worker_lost"
  | "timed_out"
  /** A disk without space, a missing package, no device: every trial would fail. */
  | "machine";

/** How often a trial runs again after a failure of each class. */
export type Retries = Record<Exclude<FailureClass, "machine">, number>;

/** A lost worker says little about its trial; any other failure would come again. */
export const defaultRetries: Retries = {
  trial: 0,
  out_of_memory: 0,
  loss_not_finite: 0,
  worker_lost: 2,
  timed_out: 0,
};

/**
 * True for a worker that the system killed before it could do anything: memory may be short for a moment. An interpreter that ends by
 * itself, or takes too long, would do so again.
 */
export function isKilledAtStart(error: unknown): error is CliprpnError {
  if (!(error instanceof CliprpnError && error.code === "environment_broken")) return false;
  return error.cause instanceof CliprpnError && error.cause.code === "worker_killed";
}

export function failureClassOf(code: ErrorCode): FailureClass {
  switch (code) {
    case "worker_died":
    case "worker_killed":
      return "worker_lost";
    case "out_of_memory":
    case "loss_not_finite":
    case "timed_out":
      return code;
    default:
      return exitCodeOf(code) === EXIT.environment ? "machine" : "trial";
  }
}
