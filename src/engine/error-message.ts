import type { CliprpnError } from "../contract/errors.ts";
import type { PreparationSpec, TrialSpec } from "../contract/generated/types.ts";
import { crashPlace } from "./crash-place.ts";
import type { Attempt } from "./launcher.ts";

/** An attempt at a trial, or at what trials share. */
export interface DescribedAttempt extends Pick<Attempt, "logFile" | "fusionFile"> {
  spec: TrialSpec | PreparationSpec;
}

/** The message of an attempt's error, with the line of a custom fusion or the log. */
export function messageOf(
  { code, message }: Pick<CliprpnError, "code" | "message">,
  { spec, logFile, fusionFile }: DescribedAttempt,
): string {
  if (code === "worker_died" || code === "timed_out") return diedAt(spec, logFile, fusionFile) + message;
  return code === "internal" ? `${message}; the traceback is in ${logFile}` : message;
}

/**
 * `my_fusion.py:12, in forward: ` if a crash was in a person's fusion.
 *
 * @param fusionFile the file that the person edits; by default the one that was loaded.
 */
export function diedAt(spec: TrialSpec | PreparationSpec, logFile: string, fusionFile?: string): string {
  if (!("kind" in spec) || spec.kind !== "cliprpn" || spec.settings.fusion.kind !== "file") return "";
  const loaded = spec.settings.fusion.file.replace(/:[^:]*$/, "");
  const place = crashPlace(logFile, loaded, fusionFile ?? loaded);
  return place === undefined ? "" : `${place}: `;
}
