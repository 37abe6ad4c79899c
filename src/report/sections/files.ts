import type { RootContent } from "mdast";
import { bullets, heading, type Inline, link } from "../markdown.ts";
import type { ReportFiles } from "../report-input.ts";

/**
 * The files with the figures of the report.
 *
 * @param names the files in `place`.
 */
export function listFiles({ json, place }: ReportFiles, names: readonly string[]): RootContent[] {
  const listed = contents.filter(([name]) => names.includes(name));
  return [
    heading(2, "Files"),
    bullets([
      [link(json), ": the verdict, all figures and the trials, for programs."],
      ...listed.map(([name, content]): Inline => [link(`${place}/${name}`), `: ${content}`]),
    ]),
  ];
}

const contents: [name: string, content: string][] = [
  ["leaderboard.csv", "the leaderboard for spreadsheets."],
  ["splits.tex", "Acc@0.5 by split in LaTeX (booktabs)."],
  ["leaderboard.tex", "the leaderboard in LaTeX (booktabs)."],
  ["ablation.tex", "what differs between the configurations, and what it changes, in LaTeX (booktabs)."],
  ["expressions.parquet", "the results of each referring expression."],
];
