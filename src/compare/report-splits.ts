import { codeHashes } from "../contract/code-identity.ts";
import type { Combined, StoredComparison } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir } from "../environment/cache.ts";
import type { ReportFiles, ReportInput, ReportTrial } from "../report/report-input.ts";
import type { OpenStaging } from "../report/staging.ts";
import { writeReport } from "../report/write-report.ts";
import { datasetOf } from "../sweep/predict-on.ts";
import { summarizeSplit } from "../sweep/results/split-report.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit, Comparison } from "./comparison.ts";
import type { ConvertedFiles } from "./convert-files.ts";
import { groupsOn } from "./groups.ts";
import { filesOfData } from "./report-files.ts";
import { trainingOf } from "./stored-comparison.ts";

/** A comparison with its converted files. */
export interface ReadyComparison {
  comparison: Comparison;
  files: ConvertedFiles;
  stored: StoredComparison;
}

/**
 * Writes the report on each split. Python computes the figures of the next split while the charts of one are drawn.
 *
 * @param folder of the comparison.
 */
export async function reportSplits(
  ready: ReadyComparison,
  folder: string,
  open: OpenStaging,
  engine: Engine,
  run: RunContext,
): Promise<ReportInput[]> {
  const { data } = ready.comparison;
  const inputs: ReportInput[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  for (const [index, each] of data.entries()) {
    run.terminal.live([
      `summarizing ${each.name}${data.length === 1 ? "" : ` (${index + 1} of ${data.length})`}`,
    ]);
    const files = filesOfData(each.name, data.length === 1);
    const staging = await open(files.place);
    const input = await summarizeSplit(splitReport(each, ready, files, run), staging, engine, run);
    await writing; // Of one split at a time, for the memory.
    writing = writeReport(input, staging, folder);
    writing.catch(() => undefined); // Awaited below, or in the next round.
    inputs.push(input);
  }
  await writing;
  run.terminal.liveDone();
  return inputs;
}

/** The figures over all splits. */
export function combine(
  { comparison, files }: ReadyComparison,
  engine: Engine,
  run: RunContext,
): Promise<Combined> {
  const { data } = comparison;
  const [first, ...others] = data.map((each) => ({
    name: each.name,
    dataset: datasetOf(each.dataset),
    split: each.split,
    in_primary: each.inPrimary,
    groups: groupsNeeded(each, comparison, files),
  }));
  if (first === undefined) throw new Error("expected a split, found none");
  return engine.call(
    "combine",
    { endpoints: [first, ...others], ...rulesOf(comparison), cache_dir: cacheDir(run.env) },
    { signal: run.signal },
  );
}

function splitReport(each: ComparedSplit, ready: ReadyComparison, files: ReportFiles, run: RunContext) {
  const { comparison, stored } = ready;
  const { dataset } = each;
  return {
    runsDir: run.runsDir,
    params: {
      split: each.split,
      dataset: datasetOf(each.dataset),
      groups: groupsNeeded(each, comparison, ready.files),
      ...rulesOf(comparison, each, ready.files),
      ...(each.only === null ? {} : { only: each.only }),
    },
    input: {
      question: comparison.question,
      name: comparison.name,
      dataset: { id: dataset.id, name: dataset.name, split_by: dataset.split_by },
      command: stored.command,
      source: { file: comparison.origin, sets: [] },
      trials: reportedTrials(comparison),
      notAsked: [],
      published: [],
      training: trainingOf(comparison),
      variedKeys: null,
      files,
      comparison: stored,
    },
  };
}

function groupsNeeded(each: ComparedSplit, comparison: Comparison, files: ConvertedFiles) {
  const [first, ...others] = groupsOn(each, comparison, files);
  if (first === undefined) throw new Error(`expected a model with answers on ${each.name}, found none`);
  return [first, ...others] as [typeof first, ...typeof others];
}

/** @param each a split, on which the baseline may have no answers. */
function rulesOf(comparison: Comparison, each?: ComparedSplit, files?: ConvertedFiles) {
  const { baseline, smallestDifference, alpha } = comparison;
  const hasBaseline =
    each === undefined ||
    files === undefined ||
    groupsOn(each, comparison, files).some(({ label }) => label === baseline);
  return {
    baseline: hasBaseline ? baseline : null,
    smallest_difference: smallestDifference === null ? null : smallestDifference / 100,
    alpha,
  };
}

/** The trials under the names of their models. */
function reportedTrials({ models }: Comparison): ReportTrial[] {
  const codes = codeHashes();
  return models.flatMap((model) =>
    model.kind === "results"
      ? []
      : model.trials.map(({ spec, outcome, trial, attempt }) => ({
          spec: { ...spec, label: model.label },
          outcome,
          attempt,
          isStale: outcome.sources_sha256 !== codes[spec.kind],
          origin: trial.importedFrom(attempt),
        })),
  );
}
