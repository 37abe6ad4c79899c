import { replaceFile } from "../base/replace-file.ts";
import type { TrialRow } from "../contract/generated/types.ts";
import { isUpperBound, withIdentityDefaults } from "../contract/trial-identity.ts";
import { checkStored, parseJson, readText } from "./files.ts";

/**
 * The trials of a sweep, from its trials.jsonl.
 *
 * @returns undefined if there is no such file.
 * @throws CliprpnError bad_input.
 */
export function readRows(file: string): TrialRow[] | undefined {
  return readText(file)
    ?.split("\n")
    .flatMap((line, index) => (line === "" ? [] : [readRow(line, `${file}:${index + 1}`)]));
}

/** What names a trial of a sweep, and what the sweep knows about it. */
export type ListedTrial = Pick<TrialRow, "label" | "seed" | "asked" | "attempt"> &
  Pick<TrialRow["trial"], "trial_id" | "kind"> & { is_upper_bound: boolean };

/**
 * The trials of a sweep without their settings, which are not checked: for 10,000 trials, that saves half a second.
 *
 * @returns undefined if there is no such file.
 * @throws CliprpnError bad_input.
 */
export function readListed(file: string): ListedTrial[] | undefined {
  return readText(file)
    ?.split("\n")
    .flatMap((line, index) =>
      line === "" ? [] : [listedIn(line) ?? listed(readRow(line, `${file}:${index + 1}`))],
    );
}

/** One of the trials; undefined if it is not listed. @throws CliprpnError bad_input. */
export function findRow(file: string, trial_id: string): TrialRow | undefined {
  const lines = (readText(file) ?? "").split("\n");
  for (const [index, line] of lines.entries()) {
    if (!line.includes(trial_id)) continue; // Most lines need no parsing.
    const row = readRow(line, `${file}:${index + 1}`);
    if (row.trial.trial_id === trial_id) return row;
  }
  return undefined;
}

/** Replaces the file, unless it has these trials already. */
export function writeRows(file: string, rows: readonly TrialRow[]): void {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  if (text !== readText(file)) replaceFile(file, text);
}

function listed({ trial, label, seed, asked, attempt }: TrialRow): ListedTrial {
  const { trial_id, kind } = trial;
  return { trial_id, kind, label, seed, asked, attempt, is_upper_bound: isUpperBound(trial) };
}

/** Undefined for a baseline, and if one of these values is not as expected: the check of the whole row says why. */
function listedIn(line: string): ListedTrial | undefined {
  const row: Record<string, unknown> = Object(parseJson(withoutSettings(line)));
  const { trial_id, kind }: Record<string, unknown> = Object(row.trial);
  const { schema_version, label, seed, asked, attempt } = row;
  if (schema_version !== 1 || typeof trial_id !== "string" || kind !== "cliprpn") return undefined;
  if (typeof label !== "string" || typeof seed !== "number" || typeof asked !== "boolean") return undefined;
  if (attempt !== null && typeof attempt !== "number") return undefined;
  return { trial_id, kind, label, seed, asked, attempt, is_upper_bound: false };
}

/** A line as this version writes it, without the settings at its end, which are most of it. */
function withoutSettings(line: string): string {
  // Within a text, the quotation marks would be escaped.
  const end = line.indexOf(',"settings":{');
  return end !== -1 && line.endsWith("}}") ? `${line.slice(0, end)}}}` : line;
}

/** @throws CliprpnError bad_input. */
function readRow(line: string, where: string): TrialRow {
  const value = parseJson(line);
  const filled =
    typeof value === "object" && value !== null && "trial" in value
      ? { ...value, trial: withIdentityDefaults(value.trial) }
      : value;
  return checkStored("TrialRow", filled, where);
}
