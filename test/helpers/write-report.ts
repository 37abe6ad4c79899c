import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ReportInput } from "../../src/report/report-input.ts";
import { withStaging, writeReport } from "../../src/report/write-report.ts";
import { tempFolder } from "./temp-folder.ts";

/** A report in a folder of its own, and a reader of its files. */
export async function writtenReport(
  input: ReportInput,
  folder = tempFolder(),
): Promise<{ folder: string; read: (name: string) => string }> {
  await withStaging(folder, input.summary.split, (staging) => writeReport(input, staging, folder));
  return { folder, read: (name) => readFileSync(join(folder, name), "utf8") };
}
