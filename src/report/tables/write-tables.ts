import { join } from "node:path";
import { replaceFile } from "../../base/replace-file.ts";
import type { Report } from "../../contract/generated/types.ts";
import { latexAblation } from "./latex-ablation.ts";
import { latexLeaderboard } from "./latex-leaderboard.ts";
import { leaderboardCsv } from "./leaderboard-csv.ts";

/**
 * Writes the leaderboard as CSV and as LaTeX, and the ablation of a sweep as LaTeX.
 *
 * @param others the reports on other splits.
 */
export function writeTables(report: Report, others: Report[], folder: string): void {
  replaceFile(join(folder, "leaderboard.csv"), leaderboardCsv(report));
  replaceFile(join(folder, "leaderboard.tex"), latexLeaderboard(report));
  // What differs between outside models is not known.
  if (report.comparison === undefined)
    replaceFile(join(folder, "ablation.tex"), latexAblation(report, others));
}
