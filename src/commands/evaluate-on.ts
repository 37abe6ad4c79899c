import { describeOwner } from "../base/owner-lock.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import { isPrepared, readFacts } from "../dataset/prepare/prepared-folder.ts";
import { type FoundModel, findModel } from "../store/find-model.ts";
import { findSweep } from "../store/find-sweep.ts";
import { addTargets } from "../store/later-targets.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { sweepsIn } from "../store/sweeps.ts";
import { warnOfData } from "../sweep/datasets.ts";
import { storedTarget, targetsOf } from "../sweep/evaluation-targets.ts";
import { currentCode, locateTrials, specOf } from "../sweep/locate-trial.ts";
import { openEngine } from "../sweep/open-engine.ts";
import { type CompletedAttempt, type EvaluationTarget, predictOn, resultOn } from "../sweep/predict-on.ts";
import { warnOfSharedImages } from "../sweep/prepare/prepare-targets.ts";
import { trains } from "../sweep/prepare/prepare-trials.ts";
import { completedTrial, reportTrials } from "../sweep/results/report-trials.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { type Arguments, type Context, runContext } from "./command.ts";

/** `cliprpn evaluate SWEEP|TRIAL --on NAME:SPLIT`: evaluates trials where they have no answers yet, and prints all metrics. */
export async function evaluateOnSplits(args: Arguments, context: Context): Promise<number> {
  const run = runContext(args, context);
  checkOptions(args);
  const { trials, store } = findTrials(args.needed("model"), run);
  const [first] = trials;
  const own = first === undefined ? {} : { name: first.spec.dataset.name, root: first.spec.dataset.root };
  const targets = await targetsOf(args.list("on"), "--on", own, context);
  const engine = await openEngine(
    run,
    trials.map(({ spec }) => spec),
  );
  const lock = await store?.lockReport({
    command: run.commandLine,
    signal: run.signal,
    onWait: (owner) =>
      run.terminal.info(
        `Another cliprpn process evaluates this sweep: ${describeOwner(owner)}; waiting for it.`,
      ),
    onLost: () => undefined, // Predictions are renamed into place.
  });
  try {
    for (const { dataset } of targets) if (dataset.raw === undefined) warnOfData(dataset, run.terminal);
    const runsDir = trials[0]?.trial.runsDir ?? run.runsDir;
    const options = { sweepName: store?.name ?? null, runsDir, engine, context };
    await predictOn(trials, targets, options);
    if (first !== undefined && trials.some(({ spec }) => trains(spec)))
      await warnOfSharedImages(first.spec.dataset, targets, engine, run);
    const rows = [];
    for (const target of targets)
      for (const trial of trials) rows.push(await rowOf(trial, target, { engine, context }));
    if (store !== undefined)
      addTargets(store, targets.filter((target) => !isOwnVal(trials, target)).map(storedTarget));
    context.terminal.liveDone();
    context.terminal.result(JSON.stringify(rows, null, 2));
    if (store !== undefined)
      context.terminal.info(`\`cliprpn report ${store.name}\` compares the configurations on these splits.`);
    return EXIT.good;
  } finally {
    await lock?.release();
    await engine.close();
  }
}

function checkOptions(args: Arguments): void {
  const other = ["dataset", "split-by"].find((name) => args.text(name) !== undefined);
  const name = other ?? (args.text("split") === "val" ? undefined : "split");
  if (name !== undefined)
    throw new CliprpnError(
      "bad_input",
      `--${name}: not valid with --on, which names datasets and splits, such as refcocog-umd:test`,
    );
}

/** The completed trials of a sweep, or the one that is named. @throws CliprpnError not_found; bad_input for a model file. */
function findTrials(name: string, run: RunContext): { trials: CompletedAttempt[]; store?: SweepStore } {
  const store = findStore(name, run);
  if (store !== undefined) {
    const asked = store.read().trials.flatMap(({ asked, spec }) => (asked ? [spec] : []));
    const trials = reportTrials(store, asked).flatMap(completedTrial);
    if (trials.length === 0)
      throw new CliprpnError(
        "not_found",
        `${store.folder}: expected at least one completed trial, found none; run the sweep first`,
      );
    return { trials: located(trials, run), store };
  }
  const found = findTrial(name, run);
  if (found.kind === "file" || found.file !== undefined)
    throw new CliprpnError(
      "bad_input",
      `${name}: expected a sweep or a trial, found a model file; evaluate it with --dataset NAME --split SPLIT in place of --on`,
    );
  const { trial, attempt } = found;
  const outcome = trial.outcome(attempt);
  if (outcome?.state !== "completed")
    throw new CliprpnError(
      "not_found",
      `${trial.folder}: expected a completed trial, found attempt ${attempt}, which is not; run its sweep first`,
    );
  return { trials: located([{ spec: specOf(trial), outcome, trial, attempt }], run) };
}

function findTrial(name: string, run: RunContext): FoundModel {
  try {
    return findModel(name, run, currentCode);
  } catch (error) {
    if (!(error instanceof CliprpnError && error.code === "not_found")) throw error;
    const sweeps = sweepsIn(run.runsDir).map((sweep) => sweep.name);
    throw new CliprpnError(
      "not_found",
      `${error.message}, and no sweep of this name: ${sweeps.join(", ") || "there is none"}`,
      { cause: error },
    );
  }
}

function findStore(name: string, { runsDir, cwd }: RunContext): SweepStore | undefined {
  try {
    return findSweep(name, runsDir, cwd);
  } catch (error) {
    if (error instanceof CliprpnError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** Their own dataset is needed only if it is evaluated on. */
function located(trials: CompletedAttempt[], run: RunContext): CompletedAttempt[] {
  try {
    return locateTrials(trials, run);
  } catch (error) {
    if (error instanceof CliprpnError && error.code === "not_found") return trials;
    throw error;
  }
}

/** True for the val split of a joint training set under its own name: the report has it anyway. */
function isOwnVal([first]: readonly CompletedAttempt[], { dataset, split }: EvaluationTarget): boolean {
  const root = first?.spec.dataset.root;
  if (root === undefined || split !== "val" || !isPrepared(root)) return false;
  return readFacts(root).joint?.val.id === dataset.id;
}

async function rowOf(
  trial: CompletedAttempt,
  target: EvaluationTarget,
  options: Parameters<typeof resultOn>[2],
) {
  const { trial_id, label, seed, kind } = trial.spec;
  const { dataset, split } = target;
  return {
    trial_id,
    label,
    ...(kind === "baseline" ? {} : { seed }),
    dataset: { id: dataset.id, name: dataset.name },
    split,
    ...(await resultOn(trial, target, options)),
  };
}
