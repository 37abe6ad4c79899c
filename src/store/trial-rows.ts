import { replaceFile } from "../base/replace-file.ts";
import { CliprpnError } from "../contract/errors.ts";
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
  const rows = linesOf(file)?.map(({ line, where }) => readRow(line, where));
  checkWhole(rows, file);
  return rows;
}

/**
 * The rows of a file that a disk may have damaged: lines that are no JSON are left out.
 *
 * @returns what is wrong with the file; undefined if it is whole, or missing.
 * @throws CliprpnError bad_input for a line that another version or program wrote.
 */
export function readUndamagedRows(file: string): { rows: TrialRow[]; damage: string | undefined } {
  const lines = linesOf(file) ?? [];
  const torn = lines.find(({ line }) => parseJson(line) === undefined);
  const rows = lines.flatMap(({ line, where }) =>
    parseJson(line) === undefined ? [] : [readRow(line, where)],
  );
  const lost = describeLost(rows);
  if (torn !== undefined) return { rows, damage: `${torn.where}: expected JSON, found none` };
  return { rows, damage: lost === undefined ? undefined : `${file}: ${lost}` };
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
  const rows = linesOf(file)?.map(({ line, where }) => listedIn(line) ?? listed(readRow(line, where)));
  checkWhole(rows, file);
  return rows?.map(({ num_rows: _, ...row }) => row);
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
  const text = rows
    // The settings come last: see `withoutSettings`.
    .map(({ trial, ...names }) => `${JSON.stringify({ ...names, num_rows: rows.length, trial })}\n`)
    .join("");
  if (text !== readText(file)) replaceFile(file, text);
}

interface Line {
  line: string;
  /** For messages. */
  where: string;
}

function linesOf(file: string): Line[] | undefined {
  return readText(file)
    ?.split("\n")
    .flatMap((line, index) => (line === "" ? [] : [{ line, where: `${file}:${index + 1}` }]));
}

interface Counted {
  num_rows?: number | undefined;
}

/** @throws CliprpnError bad_input if lines are lost. */
function checkWhole(rows: readonly Counted[] | undefined, file: string): void {
  const lost = describeLost(rows ?? []);
  if (lost !== undefined) throw new CliprpnError("bad_input", `${file}: ${lost}. ${rewriteHint}`);
}

function describeLost(rows: readonly Counted[]): string | undefined {
  const expected = rows.find(({ num_rows }) => num_rows !== undefined && num_rows !== rows.length)?.num_rows;
  return expected === undefined
    ? undefined
    : `expected the ${expected} lines that were written, found ${rows.length}`;
}

const rewriteHint = "The file is damaged; run the sweep again, which writes it, or restore it from a backup";

function listed({ trial, label, seed, asked, attempt, num_rows }: TrialRow): ListedRow {
  const { trial_id, kind } = trial;
  return { trial_id, kind, label, seed, asked, attempt, num_rows, is_upper_bound: isUpperBound(trial) };
}

type ListedRow = ListedTrial & { num_rows: number | undefined };

/** Undefined for a baseline, and if one of these values is not as expected: the check of the whole row says why. */
function listedIn(line: string): ListedRow | undefined {
  const row: Record<string, unknown> = Object(parseJson(withoutSettings(line)));
  const { trial_id, kind }: Record<string, unknown> = Object(row.trial);
  const { schema_version, label, seed, asked, attempt, num_rows } = row;
  if (schema_version !== 1 || typeof trial_id !== "string" || kind !== "cliprpn") return undefined;
  if (typeof label !== "string" || typeof seed !== "number" || typeof asked !== "boolean") return undefined;
  if (attempt !== null && typeof attempt !== "number") return undefined;
  if (num_rows !== undefined && typeof num_rows !== "number") return undefined;
  return { trial_id, kind, label, seed, asked, attempt, num_rows, is_upper_bound: false };
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
  if (value === undefined)
    throw new CliprpnError("bad_input", `${where}: expected JSON, found none. ${rewriteHint}`);
  const filled =
    typeof value === "object" && value !== null && "trial" in value
      ? { ...value, trial: withIdentityDefaults(value.trial) }
      : value;
  return checkStored("TrialRow", filled, where);
}
