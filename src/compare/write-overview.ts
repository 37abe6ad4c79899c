import type { Combined } from "../contract/generated/types.ts";
import { combinedVerdict } from "../report/overview/combined-verdict.ts";
import type { OverviewInput } from "../report/overview/overview-input.ts";
import { writeOverview } from "../report/overview/write-overview.ts";
import type { ReportInput } from "../report/report-input.ts";
import { verdict } from "../report/sections/verdict.ts";
import type { OpenStaging } from "../report/staging.ts";
import { overviewFiles } from "./report-files.ts";
import type { ReadyComparison } from "./report-splits.ts";

/** Writes the overview of several splits. @returns the verdict: of the overview, or of the only split. */
export async function writeComparisonOverview(
  { comparison, stored }: ReadyComparison,
  inputs: readonly ReportInput[],
  combined: Combined | undefined,
  folder: string,
  open: OpenStaging,
): Promise<string> {
  if (combined === undefined) return inputs.map((input) => verdict(input)).join("\n");
  const overview: OverviewInput = {
    question: comparison.question,
    name: comparison.name,
    cliprpn_version: inputs[0]?.cliprpn_version ?? "",
    command: stored.command,
    combined,
    comparison: stored,
    endpoints: inputs.map(({ files, numLooks, dataset_warnings, summary, training }, index) => ({
      name: comparison.data[index]?.name ?? "",
      files,
      numLooks,
      dataset_warnings,
      image_origins: summary.image_origins ?? [],
      training,
    })),
    files: overviewFiles,
  };
  await writeOverview(overview, await open(overviewFiles.place), folder);
  return combinedVerdict(combined, stored);
}
