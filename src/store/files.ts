import { readFileSync } from "node:fs";
import { hasCode } from "../base/files.ts";
import { type ContractTypes, check } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";

/**
 * Reads a JSON file of the contract.
 *
 * @returns undefined if there is no such file.
 * @throws CliprpnError bad_input if it is damaged, or was written by a newer version of cliprpn.
 */
export function readStored<Name extends keyof ContractTypes>(
  name: Name,
  file: string,
): ContractTypes[Name] | undefined {
  const text = readText(file);
  return text === undefined ? undefined : checkStored(name, parseJson(text), file);
}

/** Like `readStored`, for a value that has been read. */
export function checkStored<Name extends keyof ContractTypes>(
  name: Name,
  value: unknown,
  where: string,
): ContractTypes[Name] {
  if (value === undefined)
    throw new CliprpnError("bad_input", `${where}: expected JSON, found none. ${damagedHint}`);
  const version = versionOf(value);
  if (version !== undefined && version > schemaVersion)
    throw new CliprpnError(
      "bad_input",
      `${where}: expected version ${schemaVersion} of the format, found ${version}; a newer cliprpn wrote it, use that version`,
    );
  try {
    return check(name, value, where);
  } catch (error) {
    throw new CliprpnError(
      "bad_input",
      `${error instanceof Error ? error.message : String(error)}. ${damagedHint}`,
      { cause: error },
    );
  }
}

const damagedHint =
  "The file is damaged, or not one of cliprpn's; restore it from a backup, or use another --runs-dir";

/** The version that every stored file carries. */
export const schemaVersion = 1;

/** The text of a file; undefined if there is none. @throws CliprpnError bad_input if it is a folder. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    if (hasCode(error, "EISDIR"))
      throw new CliprpnError("bad_input", `${file}: expected a file, found a folder. ${damagedHint}`);
    throw error;
  }
}

/** The JSON value of a text; undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function versionOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null || !("schema_version" in value)) return undefined;
  return typeof value.schema_version === "number" ? value.schema_version : undefined;
}
