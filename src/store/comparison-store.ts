import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../base/replace-file.ts";
import type { StoredComparison } from "../contract/generated/types.ts";
import { readStored, toJson } from "./files.ts";
import { ReportFolder, reportFoldersIn } from "./report-folder.ts";

/** The folder of a comparison, `comparisons/<name>`. */
export class ComparisonStore extends ReportFolder {
  constructor(runsDir: string, name: string) {
    super(comparisonsFolder(runsDir), name, "comparison.json");
  }

  /** Undefined before it is complete. @throws CliprpnError bad_input if it is damaged. */
  read(): StoredComparison | undefined {
    return readStored("StoredComparison", this.file);
  }

  write(comparison: StoredComparison): void {
    mkdirSync(this.folder, { recursive: true });
    replaceFile(this.file, toJson(comparison));
  }
}

export function comparisonsFolder(runsDir: string): string {
  return join(runsDir, "comparisons");
}

/** All comparisons in a runs folder, the one that was changed last first; also those that stopped early. */
export function allComparisons(runsDir: string): ComparisonStore[] {
  return reportFoldersIn(comparisonsFolder(runsDir), (name) => new ComparisonStore(runsDir, name));
}
