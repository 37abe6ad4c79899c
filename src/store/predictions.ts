import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Metrics } from "../contract/generated/types.ts";
import { checkStored, parseJson, readText } from "./files.ts";

/** True if a folder contains complete predictions on a split: they are renamed into place. */
export function hasPredictions(folder: string, split: string): boolean {
  return existsSync(predictionsFile(folder, split));
}

export function predictionsFile(folder: string, split: string): string {
  return join(folder, `predictions-${split}.parquet`);
}

/** The metrics beside predictions; undefined if a process was killed before it wrote them. @throws CliprpnError bad_input. */
export function readMetrics(folder: string, split: string): Metrics | undefined {
  const file = join(folder, `metrics-${split}.json`);
  const text = readText(file);
  if (text === undefined) return undefined;
  const { schema_version: _, ...metrics } = { schema_version: 0, ...asObject(parseJson(text)) };
  return checkStored("Metrics", metrics, file);
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
