import { performance } from "node:perf_hooks";
import { CliprpnError, isInterruption } from "../contract/errors.ts";
import type { ErrorCode, Preflight, PreflightFinding } from "../contract/generated/types.ts";

/** A line of PREFLIGHT.md. */
export type CheckResult = Preflight["checks"][number];

/** A check that ran, and the traceback of an error that nobody expected. */
export interface RanCheck {
  result: CheckResult;
  traceback: string | undefined;
}

/**
 * Runs one check. An error is a failure of this check only.
 *
 * @param tracebackFile the name of the file for tracebacks.
 * @throws an error that says that the command was interrupted.
 */
export async function runCheck(
  check: CheckResult["check"],
  find: () => Promise<PreflightFinding>,
  tracebackFile: string,
  signal: AbortSignal,
): Promise<RanCheck> {
  const started = performance.now();
  const result = (finding: PreflightFinding, traceback_file: string | null): CheckResult => ({
    check,
    ...finding,
    duration_ms: performance.now() - started,
    traceback_file,
  });
  try {
    return { result: result(await find(), null), traceback: undefined };
  } catch (error) {
    if (isInterruption(error, signal)) throw error;
    const { code, message, traceback } = described(error);
    const isExpected = !unexpected.includes(code);
    const finding = failed(
      message,
      isExpected
        ? (advice[code] ?? "do what the message says: a trial of the sweep would fail for the same reason")
        : `report this with ${tracebackFile}`,
    );
    return {
      result: result(finding, isExpected ? null : tracebackFile),
      traceback: isExpected ? undefined : `${check}\n${traceback}\n`,
    };
  }
}

export function passed(found: string, figures: PreflightFinding["figures"] = []): PreflightFinding {
  return { status: "passed", found, fix: null, figures };
}

/** @param fix what to do. */
export function failed(
  found: string,
  fix: string,
  figures: PreflightFinding["figures"] = [],
): PreflightFinding {
  return { status: "failed", found, fix, figures };
}

export function notChecked(found: string): PreflightFinding {
  return { status: "not_checked", found, fix: null, figures: [] };
}

/** Errors of the code, not of the person's machine or files. */
const unexpected: ErrorCode[] = ["internal", "contract_violation"];

const advice: Partial<Record<ErrorCode, string>> = {
  out_of_memory: "lower training.batch_size, or use a device with more memory",
  worker_killed: "the system may have run out of memory: lower training.batch_size",
  loss_not_finite: "lower training.learning_rate",
};

function described(error: unknown): { code: ErrorCode; message: string; traceback: string } {
  if (!(error instanceof CliprpnError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { code: "internal", message: error instanceof Error ? error.message : stack, traceback: stack };
  }
  const { code, cause } = error;
  // The engine names its log; the traceback is in a file beside the report, which can be attached.
  const message = error.message.replace(/; the traceback is in \S+$/, "");
  return { code, message, traceback: typeof cause === "string" ? cause : (error.stack ?? message) };
}
