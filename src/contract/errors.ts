import type { ErrorCode } from "./generated/types.ts";

/** Exit codes of the process; shell scripts may rely on them. */
export const EXIT = {
  good: 0,
  internal: 1,
  user_input: 2,
  some_failed: 3,
  environment: 4,
  /** A condition of --fail-if holds: the report is written, and all trials are complete. */
  condition_held: 5,
  interrupted: 130,
} as const;

/** An error meant for a person: what was expected, what was found, where, and what to do next. */
export class CliprpnError extends Error {
  override readonly name = "CliprpnError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The exit code of the process for an error code. */
export function exitCodeOf(code: ErrorCode): number {
  return EXIT[EXIT_OF_CODE[code]];
}

/**
 * True if an error says that the work was interrupted, or if the abort of the signal is the cause of it. An error is not a
 * consequence of an abort because it comes after it: a full disk or a bug must be shown while the program stops, too.
 */
export function isInterruption(error: unknown, signal?: AbortSignal): boolean {
  if (error instanceof CliprpnError && error.code === "interrupted") return true;
  if (!signal?.aborted) return false;
  if (error === signal.reason || (error instanceof Error && error.name === "AbortError")) return true;
  return error instanceof Error && error.cause !== undefined && isInterruption(error.cause, signal);
}

const EXIT_OF_CODE: Record<ErrorCode, keyof typeof EXIT> = {
  bad_input: "user_input",
  canceled: "some_failed",
  contract_violation: "internal",
  data_invalid: "user_input",
  device_unavailable: "environment",
  environment_broken: "environment",
  fusion_invalid: "user_input",
  internal: "internal",
  interrupted: "interrupted",
  locked: "user_input",
  loss_not_finite: "some_failed",
  no_network: "environment",
  no_space: "environment",
  not_deterministic: "user_input",
  not_found: "user_input",
  out_of_memory: "some_failed",
  package_missing: "environment",
  pruned: "some_failed",
  python_unsuitable: "environment",
  timed_out: "some_failed",
  unsupported_platform: "environment",
  weights_mismatch: "user_input",
  weights_missing: "user_input",
  weights_unsafe: "user_input",
  worker_died: "some_failed",
  worker_killed: "environment", // Of a trial, it is a failure with a policy.
};
