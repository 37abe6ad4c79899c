import { relative } from "node:path";
import { describeOwner } from "../../base/owner-lock.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type {
  Combined,
  JournalEntry,
  Split,
  StoredExperiment,
  Summary,
  TrialSpec,
} from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import { type ReportInput, splitFiles } from "../../report/report-input.ts";
import { leakageLines } from "../../report/sections/training-data.ts";
import { verdict } from "../../report/sections/verdict.ts";
import { withStaging } from "../../report/staging.ts";
import { writeReport } from "../../report/write-report.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { checkTarget } from "../evaluation-targets.ts";
import { locateTrials } from "../locate-trial.ts";
import { predictOn } from "../predict-on.ts";
import { trialStatuses } from "../resume.ts";
import type { Context } from "../run-context.ts";
import { combineTargets } from "./combine-targets.ts";
import { findAudits } from "./find-audits.ts";
import { completedTrial, reportTrials } from "./report-trials.ts";
import { summarizeSplit } from "./split-report.ts";
import { comparisonRules, groupsOf } from "./summarize-params.ts";
import { mostSlots, sweepStarts } from "./sweep-starts.ts";
import { trainingParts } from "./training-parts.ts";

export interface MadeReport {
  file: string;
  summary: Summary;
  /** The figures over several splits, if the sweep has some, and this is the report on val. */
  combined: Combined | undefined;
}

/**
 * Evaluates the trials that have no predictions on the split yet, summarizes, and writes the report. New predictions on a test
 * split are a look at it, which is recorded first.
 *
 * @returns the report's path, relative to the current folder, and its figures.
 * @throws CliprpnError not_found if no trial is complete, or the dataset is gone.
 */
export async function makeReport(
  store: SweepStore,
  split: Split,
  engine: Engine,
  context: Context,
): Promise<MadeReport> {
  const { terminal, signal } = context;
  const lock = await store.lockReport({
    command: context.commandLine,
    signal,
    onWait: (owner) =>
      terminal.info(`Another cliprpn process writes this report: ${describeOwner(owner)}; waiting for it.`),
    onLost: () => undefined, // Each file of a report is replaced in one step.
  });
  try {
    const { file, ...figures } = await makeLocked(store, split, engine, context);
    return { file: relative(context.cwd, file) || file, ...figures };
  } finally {
    await lock.release();
  }
}

async function makeLocked(
  store: SweepStore,
  split: Split,
  engine: Engine,
  context: Context,
): Promise<MadeReport> {
  const { terminal, commandLine } = context;
  const { experiment, trials } = store.read();
  const entries = store.journal.entries();
  const asked = trials.filter((trial) => trial.asked).map(({ spec }) => spec);
  const reported = reportTrials(store, asked);
  const completed = locateTrials(reported.flatMap(completedTrial), context);
  const [first, ...others] = completed;
  if (first === undefined)
    throw new CliprpnError(
      "not_found",
      `${store.folder}: expected at least one completed trial, found none; run the sweep first`,
    );
  const own = { dataset: first.spec.dataset, split };
  checkTarget(own, "--split"); // Before a look at it.
  await predictOn(completed, [own], { sweepName: store.name, runsDir: store.runsDir, engine, context });
  const combined =
    split === "val"
      ? await combineTargets([first, ...others], { store, experiment, asked, own }, engine, context)
      : undefined;
  const { audits, problems } = findAudits(store.runsDir, experiment.dataset.id, split, reported);
  for (const problem of problems) terminal.warn(`An audit is left out: ${problem}`);
  terminal.live(["summarizing"]);
  const files = splitFiles(split);
  return withStaging(store.folder, files.place, async (staging) => {
    const report = {
      runsDir: store.runsDir,
      params: {
        split,
        dataset: first.spec.dataset,
        groups: groupsOf([first, ...others], own, asked),
        ...comparisonRules(experiment),
      },
      input: {
        question: experiment.question,
        name: store.name,
        dataset: experiment.dataset,
        ...lastRun(entries, commandLine),
        source: experiment.source,
        trials: reported,
        notAsked: completedOf(
          store,
          trials.filter((trial) => !trial.asked).map(({ spec }) => spec),
        ),
        published: experiment.published,
        training: trainingParts(asked, experiment.trained_on),
        audits,
        variedKeys: variedKeys(experiment),
        starts: sweepStarts(entries),
        files,
        ...(combined === undefined ? {} : { combined }),
      },
    };
    const input = await summarizeSplit(report, staging, engine, context);
    const file = await writeReport(input, staging, store.folder);
    terminal.liveDone();
    terminal.info(verdict(input));
    for (const line of leakageLines(input)) terminal.info(`Leakage: ${line}`);
    return { file, summary: input.summary, combined };
  });
}

/** Those that completed, here or in another sweep. */
function completedOf(store: SweepStore, specs: readonly TrialSpec[]): TrialSpec[] {
  const statuses = trialStatuses(store, specs);
  return specs.filter(({ trial_id }) => statuses.get(trial_id)?.state === "completed");
}

/** The keys of `vary`; if there are none, those of `also`. */
function variedKeys({ experiment }: StoredExperiment): string[] | null {
  if (experiment === undefined) return null;
  const { vary, also }: { vary?: object; also?: object[] } = experiment;
  const keys = Object.keys(vary ?? {});
  return keys.length > 0 ? keys : [...new Set((also ?? []).flatMap(Object.keys))];
}

/** The command that ran the sweep last, without the flags that hold for one run, and how many trials ran at the same time. */
function lastRun(
  entries: readonly JournalEntry[],
  commandLine: string,
): Pick<ReportInput, "command" | "num_slots"> {
  // `retry` needs the sweep's folder.
  const runs = entries.flatMap((entry) =>
    entry.type === "sweep_started" && !/^cliprpn retry\b/.test(entry.command) ? [entry] : [],
  );
  const command = runs
    .at(-1)
    ?.command.replace(/ --((rerun-stale|accept-stale|retry-failed)\b|retry-class[ =]\S+)/g, "");
  const num_slots = mostSlots(entries);
  return {
    command: command === undefined ? commandLine : `npx ${command}`,
    ...(num_slots === undefined ? {} : { num_slots }),
  };
}
