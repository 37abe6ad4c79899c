import type { RootContent } from "mdast";
import { reportBlocks } from "../../src/report/report-blocks.ts";

/** The whole report, as REPORT.md has it. */
export function allBlocks(...parts: Parameters<typeof reportBlocks>): RootContent[] {
  const { main, details } = reportBlocks(...parts);
  return [...main, ...details];
}
