import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliprpnError } from "../contract/errors.ts";
import type { TrialOrigin } from "../contract/generated/types.ts";
import { parseJson, readText, schemaVersion, toJson } from "./files.ts";

/** Name of the file in an attempt's folder that says which archive it came from. */
export const importMark = "imported.json";

export function importMarkText(from: string): string {
  return toJson({ schema_version: schemaVersion, from });
}

/** Where an attempt came from; null for one that ran here. */
export function readImportMark(folder: string): TrialOrigin | null {
  const mark = parseJson(readText(join(folder, importMark)) ?? "");
  return typeof mark === "object" && mark !== null && "from" in mark && typeof mark.from === "string"
    ? { kind: "import", from: mark.from }
    : null;
}

/** Where the source of a fusion lies that was imported without `--trust`: nothing loads it. */
export function untrustedSource(folder: string): string {
  return join(folder, "fusion.py.untrusted");
}

/** @throws CliprpnError weights_unsafe if a model in the folder needs a fusion that was imported without `--trust`. */
export function checkTrusted(folder: string): void {
  const file = untrustedSource(folder);
  if (!existsSync(file) || existsSync(join(folder, "fusion.py"))) return;
  const from = readImportMark(folder)?.from ?? "its archive";
  throw new CliprpnError(
    "weights_unsafe",
    `${file}: expected a fusion that may run, found one that was imported without --trust. It is a program, which this model runs when it is loaded. Read it; if you trust it, import ${from} again with --trust`,
  );
}
