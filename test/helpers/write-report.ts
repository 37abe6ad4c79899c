import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Explorer } from "../../src/contract/generated/types.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { withStaging } from "../../src/report/staging.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { tempFolder } from "./temp-folder.ts";

/**
 * A report in a folder of its own, and a reader of its files.
 *
 * @param explorer what Python leaves for the HTML page.
 */
export async function writtenReport(
  input: ReportInput,
  folder = tempFolder(),
  explorer?: Explorer,
): Promise<{ folder: string; read: (name: string) => string }> {
  await withStaging(folder, input.files.place, (staging) => {
    const file = join(staging.folder, staging.place, "explorer.json");
    if (explorer !== undefined) writeFileSync(file, JSON.stringify(explorer));
    return writeReport(input, staging, folder);
  });
  return { folder, read: (name) => readFileSync(join(folder, name), "utf8") };
}
