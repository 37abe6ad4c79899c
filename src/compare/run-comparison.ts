import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { removeIfEmpty } from "../base/files.ts";
import { describeOwner } from "../base/owner-lock.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Combined } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import type { ReportInput } from "../report/report-input.ts";
import { withStagings } from "../report/staging.ts";
import { ComparisonStore } from "../store/comparison-store.ts";
import { ensureDataset, warnOfData } from "../sweep/datasets.ts";
import { type RunContext, writableRunsDir } from "../sweep/run-context.ts";
import { answerLines } from "./answer-lines.ts";
import type { Comparison } from "./comparison.ts";
import { convertFiles } from "./convert-files.ts";
import { predictTrials } from "./predict-trials.ts";
import { filesOfData, overviewFiles, removeOtherReports } from "./report-files.ts";
import { combine, type ReadyComparison, reportSplits } from "./report-splits.ts";
import { missingSplit } from "./resolve-data.ts";
import { storedComparison } from "./stored-comparison.ts";
import { writeComparisonOverview } from "./write-overview.ts";

/** A comparison that is written. */
export interface MadeComparison {
  /** Of the report, or of the overview of several splits; relative to the current folder. */
  file: string;
  folder: string;
  verdict: string;
  /** In the order of the splits. */
  inputs: ReportInput[];
  /** Undefined for one split. */
  combined: Combined | undefined;
}

/**
 * Reads the files, evaluates the trials, and writes the reports to `comparisons/<name>/`.
 *
 * @throws CliprpnError bad_input if a file cannot be read, or does not fit the data.
 */
export async function runComparison(
  comparison: Comparison,
  engine: Engine,
  run: RunContext,
): Promise<MadeComparison> {
  const { terminal, signal, commandLine } = run;
  const isFirst = !existsSync(run.runsDir);
  writableRunsDir(run);
  const store = new ComparisonStore(run.runsDir, comparison.name);
  // Held from the start: the answers of a comparison that runs are not garbage.
  const lock = await store.lockReport({
    command: commandLine,
    signal,
    onWait: (owner) =>
      terminal.info(
        `Another cliprpn process writes this comparison: ${describeOwner(owner)}; waiting for it.`,
      ),
    onLost: () => undefined, // Each file of a report is replaced in one step.
  });
  try {
    await prepareData(comparison, engine, run);
    const { files, looked } = await convertFiles(comparison, engine, run);
    for (const line of answerLines(comparison, files)) terminal[line.kind](line.text);
    await predictTrials(comparison, looked, engine, run);
    const stored = storedComparison(comparison, files, commandLine);
    const made = await writeReports({ comparison, files, stored }, store.folder, engine, run);
    store.write(stored); // Last: an error before leaves the earlier comparison, or nothing.
    return made;
  } finally {
    // After an error before anything was written.
    store.removeEmpty();
    if (isFirst) removeIfEmpty(run.runsDir);
    await lock.release();
  }
}

async function writeReports(
  ready: ReadyComparison,
  folder: string,
  engine: Engine,
  run: RunContext,
): Promise<MadeComparison> {
  const { data } = ready.comparison;
  const isOnly = data.length === 1;
  return withStagings(folder, async (open) => {
    const inputs = await reportSplits(ready, folder, open, engine, run);
    const combined = isOnly ? undefined : await combine(ready, engine, run);
    const verdict = await writeComparisonOverview(ready, inputs, combined, folder, open);
    removeOtherReports(folder, [
      ...data.map(({ name }) => filesOfData(name, isOnly)),
      ...(isOnly ? [] : [overviewFiles]),
    ]);
    const file = join(folder, overviewFiles.text);
    return { file: relative(run.cwd, file) || file, folder, verdict, inputs, combined };
  });
}

/** Prepares datasets that are prepared on first use. */
async function prepareData({ data }: Comparison, engine: Engine, run: RunContext): Promise<void> {
  const datasets = new Map(data.map(({ dataset }) => [dataset.id, dataset]));
  for (const dataset of datasets.values()) {
    await ensureDataset(dataset, [], engine, run);
    warnOfData(dataset, run.terminal);
  }
  for (const { dataset, split } of data) {
    const missing = missingSplit(dataset, split);
    if (missing !== undefined) throw new CliprpnError("bad_input", missing);
  }
}
