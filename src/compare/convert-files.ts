import { groupBy } from "../base/group-by.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { AnswersReport, BridgeMethods } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { datasetOf, hasAnswersOn } from "../sweep/predict-on.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit, Comparison } from "./comparison.ts";
import { type ConversionJob, type ConversionTarget, jobsOf } from "./conversion-jobs.ts";
import { distinctTrials } from "./predict-trials.ts";
import { recordAnswerLooks } from "./record-looks.ts";

/** A file of answers as predictions on a split. */
export interface ConvertedFile {
  file: string;
  sha256: string;
  /** Name of its folder in `answers/`. */
  key: string;
  folder: string;
  report: AnswersReport;
}

/** Converted files in the order of the model's runs, by `<label>\n<split>`. */
export type ConvertedFiles = Map<string, ConvertedFile[]>;

export function convertedOf(files: ConvertedFiles, label: string, data: string): ConvertedFile[] {
  return files.get(`${label}\n${data}`) ?? [];
}

/**
 * Converts all files that were not converted before, and records the looks at test splits before any figure is computed.
 *
 * @returns also the splits at which a look was recorded.
 * @throws CliprpnError bad_input with the problems of all files.
 */
export async function convertFiles(
  { models, data }: Comparison,
  engine: Engine,
  run: RunContext,
): Promise<{ files: ConvertedFiles; looked: ComparedSplit[] }> {
  const jobs = models.flatMap((model) => (model.kind === "results" ? jobsOf(model, data, run.runsDir) : []));
  const waiting = byDataset(jobs.filter(({ targets }) => targets.some(({ report }) => report === undefined)));
  const problems: CliprpnError[] = [];
  for (const [index, job] of waiting.entries()) {
    run.terminal.live([`reading answers: file ${index + 1} of ${waiting.length}`]);
    try {
      await convert(job, engine, run.signal);
    } catch (error) {
      if (!(error instanceof CliprpnError) || !isProblemOfFile(error)) throw error;
      problems.push(error);
    }
  }
  run.terminal.liveDone();
  const [first, ...others] = problems;
  if (first !== undefined) {
    for (const { store } of jobs.flatMap(({ targets }) => targets)) store.removeIncomplete();
    throw others.length === 0
      ? first
      : new CliprpnError(first.code, problems.map(({ message }) => message).join("\n"), { cause: first });
  }
  const looked = recordAnswerLooks(
    jobs.flatMap(({ targets }) => targets),
    run,
    (each) => distinctTrials(models).filter((trial) => !hasAnswersOn(trial, each)).length,
  );
  return { files: completed(jobs), looked };
}

/** Python has one dataset open at a time. */
function byDataset(jobs: readonly ConversionJob[]): ConversionJob[] {
  return [...groupBy(jobs, ({ targets }) => targets[0]?.data.dataset.id).values()].flat();
}

/** @throws CliprpnError with what is wrong with the file. */
async function convert(
  { model, file, sha256, targets }: ConversionJob,
  engine: Engine,
  signal: AbortSignal,
): Promise<void> {
  // All splits together, so that a row of one of them is not counted as a stranger to another.
  const { reports } = await engine.call(
    "read_answers",
    { file, reading: model.reading, targets: targetsOf(targets) },
    { signal },
  );
  // The folders are named by the content, and would be taken for it later.
  if (reports.some((report) => report.sha256 !== sha256))
    throw new CliprpnError("bad_input", `${file}: changed while it was read; run the command again`);
  for (const [index, target] of targets.entries()) {
    target.report = reports[index];
    target.isConverted = true;
  }
}

type Targets = BridgeMethods["read_answers"]["params"]["targets"];

function targetsOf(targets: readonly ConversionTarget[]): Targets {
  const [first, ...others] = targets.map(({ data: { dataset, split }, store }) => ({
    dataset: datasetOf(dataset),
    split,
    out_dir: store.folder,
  }));
  if (first === undefined) throw new Error("expected a split, found none");
  return [first, ...others];
}

/** Written last: only now is a folder complete. */
function completed(jobs: readonly ConversionJob[]): ConvertedFiles {
  const files: ConvertedFiles = new Map();
  for (const { model, file, sha256, targets } of jobs)
    for (const { data, store, report, isConverted } of targets) {
      if (report === undefined) throw new Error(`no report on ${file}`);
      if (isConverted) store.write(report);
      const key = `${model.label}\n${data.name}`;
      const order = model.files.get(data.name) ?? [];
      const each = { file, sha256, key: store.key, folder: store.folder, report: { ...report, file } };
      files.set(
        key,
        [...(files.get(key) ?? []), each].sort((a, b) => order.indexOf(a.file) - order.indexOf(b.file)),
      );
    }
  return files;
}

function isProblemOfFile({ code }: CliprpnError): boolean {
  return code === "bad_input" || code === "data_invalid" || code === "not_found";
}
