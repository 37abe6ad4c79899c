import type { Combined } from "../contract/generated/types.ts";
import type { ReportInput } from "../report/report-input.ts";
import { verdict } from "../report/sections/verdict.ts";
import type { OpenStaging } from "../report/staging.ts";
import type { ReadyComparison } from "./report-splits.ts";

/** Writes the overview of several splits. @returns the verdict: of the overview, or of the only split. */
export async function writeComparisonOverview(
  _ready: ReadyComparison,
  inputs: readonly ReportInput[],
  _combined: Combined | undefined,
  _folder: string,
  _open: OpenStaging,
): Promise<string> {
  return inputs.map((input) => verdict(input)).join("\n");
}
