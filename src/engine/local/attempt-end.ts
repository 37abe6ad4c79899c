import { CliprpnError } from "../../contract/errors.ts";
import type { TrialSpec } from "../../contract/generated/types.ts";
import type { Attempt, AttemptEnd } from "../launcher.ts";
import { crashPlace } from "./crash-place.ts";
import { isStopped } from "./stop-on-abort.ts";

/**
 * How an attempt ended whose call failed. `outcome.json` counts, even if the worker died after writing it.
 *
 * @param canceled aborted if the attempt was canceled.
 */
export function endAfterError(attempt: Attempt, error: unknown, canceled: AbortSignal): AttemptEnd {
  const outcome = attempt.outcome();
  if (outcome !== undefined) return { how: "outcome", outcome };
  if (isStopped(error, canceled)) return { how: "canceled" };
  const known = error instanceof CliprpnError ? error : new CliprpnError("internal", String(error));
  const { code, cause } = known;
  return { how: "error", error: new CliprpnError(code, messageOf(known, attempt), { cause }) };
}

/** The message of an error, with the line of a custom fusion or the log. */
function messageOf({ code, message }: CliprpnError, { spec, logFile, fusionFile }: Attempt): string {
  if (code === "worker_died" || code === "timed_out") return diedAt(spec, logFile, fusionFile) + message;
  return code === "internal" ? `${message}; the traceback is in ${logFile}` : message;
}

/**
 * `my_fusion.py:12, in forward: ` if a crash was in a person's fusion.
 *
 * @param fusionFile the file that the person edits; by default the one that was loaded.
 */
export function diedAt(spec: TrialSpec, logFile: string, fusionFile?: string): string {
  if (spec.kind !== "cliprpn" || spec.settings.fusion.kind !== "file") return "";
  const loaded = spec.settings.fusion.file.replace(/:[^:]*$/, "");
  const place = crashPlace(logFile, loaded, fusionFile ?? loaded);
  return place === undefined ? "" : `${place}: `;
}
