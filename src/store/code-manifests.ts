import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createFile } from "../base/replace-file.ts";
import type { CodeManifest } from "../contract/generated/types.ts";
import { readStored, toJson } from "./files.ts";

/** Records which files and packages a hash of the code stands for, so that a later version can name what changed. */
export function recordCode(runsDir: string, sources_sha256: string, manifest: CodeManifest): void {
  mkdirSync(join(runsDir, "code"), { recursive: true });
  createFile(codeFile(runsDir, sources_sha256), toJson(manifest));
}

/** Undefined if no sweep in this runs folder ran with that code, as for imported trials. */
export function readCode(runsDir: string, sources_sha256: string): CodeManifest | undefined {
  return readStored("CodeManifest", codeFile(runsDir, sources_sha256));
}

/** The file of a manifest, existing or not. */
export function codeFile(runsDir: string, sources_sha256: string): string {
  return join(runsDir, "code", `${codeName(sources_sha256)}.json`);
}

/** Short name of a code's hash, in file names and messages. */
export function codeName(sources_sha256: string): string {
  return sources_sha256.slice(0, 16);
}
