import { join } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import type { DatasetStats } from "../../contract/generated/types.ts";
import type { DatasetIdentity } from "../identify-dataset.ts";
import { readFacts } from "../prepare/prepared-folder.ts";
import { remakeCommand } from "../prepare-command.ts";
import { checkFiles } from "./check-files.ts";
import { type CheckResult, checkResult } from "./check-result.ts";
import { checkStats } from "./check-stats.ts";

export interface CheckContext {
  /** Asks Python for the statistics of the dataset. */
  readStats(): Promise<DatasetStats>;
  /** Called for each file that is read completely. */
  onFile(file: string): void;
  onPhase(text: string): void;
}

/** Runs all checks of a prepared dataset: files, tables, counts and splits. */
export async function checkDataset(
  dataset: DatasetIdentity,
  { readStats, onFile, onPhase }: CheckContext,
): Promise<CheckResult[]> {
  const { root } = dataset;
  const command = remakeCommand(dataset, readFacts(root));
  const results = await checkFiles(root, command, onFile);
  onPhase("reading the tables, comparing images");
  try {
    // The tables are written again only if dataset.json does not exist.
    const fix = `delete ${join(root, "dataset.json")} and run \`${command}\` again`;
    return [...results, ...checkStats(await readStats(), fix)];
  } catch (error) {
    if (!(error instanceof CliprpnError && error.code === "data_invalid")) throw error;
    const detail = `${error.message}: \`${command}\``;
    return [...results, checkResult("FAIL", "tables and pixels can be opened", detail)];
  }
}
