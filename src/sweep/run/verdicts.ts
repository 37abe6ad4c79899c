import { CliprpnError } from "../../contract/errors.ts";
import type { ErrorCode, TrialOutcome, TrialSpec } from "../../contract/generated/types.ts";
import type { Attempt, AttemptEnd } from "../../engine/launcher.ts";
import { schemaVersion } from "../../store/files.ts";
import { failureClassOf, type Retries } from "../failure-policy.ts";
import { TimeLimits } from "./time-limits.ts";

/** What the end of an attempt means for its trial. */
export type Verdict =
  | { state: "ended"; outcome: TrialOutcome }
  /** It runs again; alone, if the system killed its worker, for lack of memory as a rule. */
  | { state: "retried"; outcome: FailedOutcome; alone: boolean }
  | { state: "pruned" | "canceled"; outcome: FailedOutcome }
  | { state: "preempted" }
  /** The fault is one of the machine or the program: every trial would fail. */
  | { state: "interrupted"; fault?: { error: unknown } };

/** Why an attempt was canceled that was not to be interrupted. */
export interface Cancellation {
  state: "pruned" | "canceled";
  reason: string;
}

type FailedOutcome = Extract<TrialOutcome, { state: "failed" }>;

/** Decides what the ends of attempts mean, and counts how often each trial runs again. */
export class Verdicts {
  readonly #retries: Retries;
  readonly #limits = new TimeLimits();
  readonly #numRetries = new Map<string, number>();

  constructor(retries: Retries) {
    this.#retries = retries;
  }

  /** @param canceled undefined if it was not canceled, or because the sweep stops. */
  judge(attempt: Attempt, attemptEnd: AttemptEnd, canceled: Cancellation | undefined): Verdict {
    const { spec } = attempt;
    const end = this.#limits.check(attempt, attemptEnd);
    if (end.how === "canceled")
      return canceled === undefined
        ? { state: "interrupted" }
        : {
            state: canceled.state,
            outcome: failed(spec, { code: canceled.state, message: canceled.reason }),
          };
    if (end.how === "preempted") return { state: "preempted" };
    const outcome = end.how === "outcome" ? end.outcome : failed(spec, end.error);
    if (outcome.state === "completed") return { state: "ended", outcome };
    const { code, message } = outcome.error;
    const failureClass = failureClassOf(code);
    if (failureClass === "machine") {
      const error = end.how === "error" ? end.error : new CliprpnError(code, message);
      return { state: "interrupted", fault: { error } };
    }
    const numRetries = this.#numRetries.get(spec.trial_id) ?? 0;
    if (numRetries >= this.#retries[failureClass]) return { state: "ended", outcome };
    this.#numRetries.set(spec.trial_id, numRetries + 1);
    return { state: "retried", outcome, alone: code === "worker_killed" };
  }
}

/** The outcome of an attempt that wrote none. */
function failed(
  { trial_id, sources_sha256 }: TrialSpec,
  { code, message }: { code: ErrorCode; message: string },
): FailedOutcome {
  return {
    schema_version: schemaVersion,
    state: "failed",
    trial_id,
    sources_sha256,
    finished_at: new Date().toISOString(),
    error: { code, message },
    traceback_file: null,
  };
}
