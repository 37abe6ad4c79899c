import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createFile } from "../../base/replace-file.ts";
import { untrustedSource } from "../import-marks.ts";
import type { TrialStore } from "../trial-store.ts";

/**
 * Stores the source of a fusion in a trial's or an attempt's folder. A fusion is code: one that is not trusted gets a name that
 * nothing loads, until it is imported again.
 */
export function storeSource(folder: string, source: Buffer, isTrusted: boolean): void {
  const trusted = join(folder, "fusion.py");
  const untrusted = untrustedSource(folder);
  if (existsSync(trusted)) return;
  if (!isTrusted) createFile(untrusted, source);
  else if (createFile(trusted, source)) rmSync(untrusted, { force: true });
}

/** True if the trial has the source already: its fusion has run here, or was trusted before. */
export function hasSource(trial: TrialStore, source_sha256: string): boolean {
  return readSource(trial.fusionFile, source_sha256) !== undefined;
}

/** A source with this hash in the trial or its attempt, trusted or not. */
export function findSource(
  trial: TrialStore,
  attempt: number | undefined,
  source_sha256: string,
): Buffer | undefined {
  const folders = [trial.folder, ...(attempt === undefined ? [] : [trial.attempt(attempt).folder])];
  return folders
    .flatMap((folder) => [join(folder, "fusion.py"), untrustedSource(folder)])
    .map((file) => readSource(file, source_sha256))
    .find((source) => source !== undefined);
}

function readSource(file: string, source_sha256: string): Buffer | undefined {
  if (!existsSync(file)) return undefined;
  const source = readFileSync(file);
  return createHash("sha256").update(source).digest("hex") === source_sha256 ? source : undefined;
}
