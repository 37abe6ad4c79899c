import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { findSchemaErrors } from "../contract/check.ts";
import type { Split, TestLook } from "../contract/generated/types.ts";
import { schemaVersion } from "./files.ts";
import { appendTo, readLines } from "./journal.ts";

/** True if new predictions on the split are counted. */
export function isTest(split: Split): boolean {
  return split.startsWith("test");
}

/** Records new predictions on a test split. Call before any of their figures is shown; showing them again is no look. */
export function recordLook(runsDir: string, look: Omit<TestLook, "schema_version" | "at">): void {
  mkdirSync(runsDir, { recursive: true }); // A model file from elsewhere needs no runs folder.
  appendTo(looksFile(runsDir), { schema_version: schemaVersion, at: new Date().toISOString(), ...look });
}

/** Records looks of an earlier time, unless they are recorded already. */
export function addLooks(runsDir: string, looks: readonly TestLook[]): void {
  const known = new Set(
    readLines(looksFile(runsDir)).flatMap((value) => (isLook(value) ? lookKey(value) : [])),
  );
  for (const look of looks.filter((look) => !known.has(lookKey(look)))) appendTo(looksFile(runsDir), look);
}

/** Number of looks at a test split of a dataset, by all sweeps in the runs folder. */
export function countLooks(runsDir: string, dataset_id: string, split: Split): number {
  return looksAt(runsDir, dataset_id).filter((look) => look.split === split).length;
}

/** Looks at all test splits of a dataset. */
export function looksAt(runsDir: string, dataset_id: string): TestLook[] {
  return readLines(looksFile(runsDir)).filter(
    (value): value is TestLook => isLook(value) && value.dataset_id === dataset_id,
  );
}

function looksFile(runsDir: string): string {
  return join(runsDir, "test-looks.jsonl");
}

function lookKey({ at, dataset_id, split, command }: TestLook): string {
  return [at, dataset_id, split, command].join("\n");
}

function isLook(value: unknown): value is TestLook {
  return findSchemaErrors("TestLook", value).length === 0;
}
