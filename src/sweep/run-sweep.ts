import { counted, slug } from "../base/format.ts";
import { describeOwner } from "../base/owner-lock.ts";
import { codeOf } from "../contract/code-identity.ts";
import { CliprpnError, EXIT, isInterruption } from "../contract/errors.ts";
import type {
  Split,
  StoredExperiment,
  SweepEstimate,
  SweepEvent,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import type { Plan } from "../experiment/plan.ts";
import type { FailIf } from "../report/conditions/fail-if.ts";
import { recordCode } from "../store/code-manifests.ts";
import { schemaVersion } from "../store/files.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { checkNotLeft } from "./adopt-runs.ts";
import { checkConditions, type JudgedFigures } from "./check-conditions.ts";
import { adviseOnIdleCores } from "./choose-slots.ts";
import { spaceAdvice, spaceError } from "./estimate/disk-need.ts";
import { estimateSweep } from "./estimate/estimate-sweep.ts";
import { describeModels, type ModelRequest } from "./estimate/model-space.ts";
import { plannedTrials } from "./estimate/planned-trials.ts";
import { storedTarget } from "./evaluation-targets.ts";
import { checkFormerThreads } from "./former-threads.ts";
import { openPlace } from "./machines/open-place.ts";
import type { Place } from "./machines/place.ts";
import { checkRay } from "./machines/ray-place.ts";
import { checkSlurm } from "./machines/slurm-place.ts";
import { notifyEnd } from "./notify.ts";
import { openEngine } from "./open-engine.ts";
import { prepareTrials } from "./prepare/prepare-trials.ts";
import type { ReadPlan } from "./read-plan.ts";
import { makeReport } from "./results/make-report.ts";
import { type TrialStatus, type TrialsToRun, trialStatuses, trialsToRun } from "./resume.ts";
import { closeDetached, detachTrials } from "./run/detach.ts";
import { defaultCheckpointMinutes, runTrials } from "./run/run-trials.ts";
import { StopWatch } from "./run/watch-stops.ts";
import { isElsewhere, type RunContext, writableRunsDir } from "./run-context.ts";
import type { SweepEnd } from "./sweep-notice.ts";

/** The plan to run, where it came from, and the split to report. */
export interface SweepRequest extends ReadPlan {
  source: StoredExperiment["source"];
  split: Split;
  /** Conditions on the report that fail the command. */
  failIf?: readonly FailIf[];
}

/**
 * Runs the trials that have no accepted attempt yet, then writes the report. One process at a time works on a sweep: its lock is
 * held from before the first write to the end of the report.
 *
 * @returns the exit code.
 * @throws CliprpnError bad_input; interrupted; locked.
 */
export async function runSweep(request: SweepRequest, run: RunContext): Promise<number> {
  const store = new SweepStore(writableRunsDir(run), request.plan.name);
  checkSweep(store, request);
  const lost = new AbortController();
  const lock = await store.lock({
    command: run.commandLine,
    signal: run.signal,
    onWait: (owner) =>
      run.terminal.info(
        `Another cliprpn process is running this sweep: ${describeOwner(owner)}; waiting for it. Press Ctrl-C to stop waiting.`,
      ),
    onLost: () => lost.abort(),
  });
  const stops = new StopWatch(store.folder);
  const startedAt = Date.now();
  let end: SweepEnd;
  let reportFile: string | undefined;
  try {
    const signal = AbortSignal.any([run.signal, lost.signal, stops.signal]);
    const { code, file } = await runLocked(store, request, { ...run, signal }, stops);
    end = { code };
    reportFile = file;
  } catch (error) {
    const isStopped = stops.signal.aborted && !run.signal.aborted && isInterruption(error, stops.signal);
    const hasLost = lost.signal.aborted && !run.signal.aborted && isInterruption(error, lost.signal);
    end = { error: isStopped ? stops.signal.reason : hasLost ? takenOver(store, error) : error };
  } finally {
    stops.close();
    await lock.release();
  }
  await notifyEnd({ store, end, startedAt, signal: run.signal, reportFile }, run);
  if ("error" in end) throw end.error;
  return end.code;
}

async function runLocked(
  store: SweepStore,
  request: SweepRequest,
  run: RunContext,
  stops: StopWatch,
): Promise<{ code: number; file: string | undefined }> {
  const { plan, dataset, targets, split, failIf = [] } = request;
  checkSameData(store, request); // Again: another process may have had the lock.
  const { waiting, numFailed, numLater } = trialsToRun(store, plan.trials, run);
  checkFormerThreads(request.experiment, plan.trials, waiting, store.runsDir);
  if (run.engine === "slurm" && waiting.length > 0) await checkSlurm(store, run);
  if (run.engine === "ray" && waiting.length > 0) run.terminal.info(await checkRay(waiting, run));
  const statuses = trialStatuses(store, plan.trials);
  const planned = plannedTrials(store, plan.trials, waiting, statuses);
  const estimate = async (
    slots: readonly string[],
    checkpoints?: ReadonlyMap<string, number>,
  ): Promise<SweepEstimate> => {
    const known = checkpoints === undefined ? {} : { checkpoints };
    const made = await estimateSweep({
      read: request,
      planned,
      statuses,
      runsDir: store.runsDir,
      slots,
      isElsewhere: isElsewhere(run),
      ...known,
    });
    const full = spaceError(made.disk, spaceAdvice(plan.keep_models === "all"));
    if (full !== undefined) throw full;
    return made;
  };
  const engine = await openEngine(run, plan.trials);
  try {
    const device = await engine.device();
    const withDevice = (spec: TrialSpec): TrialSpec => ({ ...spec, device });
    // Before hours of decoding images: what is known of the space on the disk. Features of other devices are other files.
    if (!isElsewhere(run)) await estimate([device]);
    const checkpoints = await prepareTrials(
      plan.trials.map(withDevice),
      waiting.map(withDevice),
      dataset,
      engine,
      run,
      targets,
    );
    const place = await openPlace(waiting.map(withDevice), engine, store, run);
    const { slots } = place;
    const models = {
      keep_models: plan.keep_models,
      checkpoints: [...checkpoints.values()],
      numSlots: slots.length,
      runsDir: store.runsDir,
    };
    const expected = await estimate(slots, checkpoints);
    const damage = store.write(experimentOf(request), plan.trials.map(withDevice));
    if (damage !== undefined)
      run.terminal.warn(
        `${damage}. The trials of the experiment are listed again; those of its earlier versions may be missing in the list, and their results stay.`,
      );
    if (waiting.length + numFailed < plan.trials.length)
      listAttempts(store, trialStatuses(store, plan.trials));
    for (const [sources_sha256, kind] of new Map(plan.trials.map((spec) => [spec.sources_sha256, spec.kind])))
      recordCode(store.runsDir, sources_sha256, codeOf(kind));
    announce(store, plan, { waiting: waiting.map(withDevice), numFailed, numLater }, models, place, run);
    if (run.detach === true && waiting.length > 0) {
      const options = { checkpoint_minutes: run.checkpointMinutes ?? defaultCheckpointMinutes };
      await detachTrials(store, plan, { waiting: waiting.map(withDevice), place }, options, run);
      return { code: EXIT.good, file: undefined };
    }
    await runTrials(store, plan, { waiting: waiting.map(withDevice), place, expected }, engine, run, stops);
    if (waiting.length === 0) closeDetached(store);
    return await report(store, plan, { waiting, split, failIf }, engine, run);
  } finally {
    await engine.close();
  }
}

/**
 * Writes the report if a trial is complete.
 *
 * @param waiting the trials that ran now: of these, a stale result is not enough.
 * @returns the exit code: whether all trials are complete; and the report.
 */
async function report(
  store: SweepStore,
  plan: Plan,
  { waiting, split, failIf }: { waiting: readonly TrialSpec[]; split: Split; failIf: readonly FailIf[] },
  engine: Engine,
  run: RunContext,
): Promise<{ code: number; file: string | undefined }> {
  const { terminal, json } = run;
  const statuses = trialStatuses(store, plan.trials);
  const completed = plan.trials.filter(({ trial_id }) => statuses.get(trial_id)?.state === "completed");
  let figures: JudgedFigures | undefined;
  if (completed.length > 0) {
    const made = await makeReport(store, split, engine, run);
    figures = { splits: [{ name: split, summary: made.summary }], combined: made.combined };
    const event: SweepEvent = { type: "report", report_file: made.file };
    terminal.result(json ? JSON.stringify(event) : made.file);
  } else terminal.info("No trial completed, so no report was written.");
  listAttempts(store, statuses);
  const hasFailed = waiting.some(({ trial_id }) => {
    const status = statuses.get(trial_id);
    return status?.state === "completed" && status.isStale;
  });
  const isComplete = completed.length === plan.trials.length && !hasFailed;
  const code = figures === undefined ? EXIT.good : checkConditions(failIf, figures, terminal);
  return {
    code: isComplete ? code : EXIT.some_failed,
    file: figures === undefined ? undefined : store.reportFile(split),
  };
}

/** Writes the attempts that count into the list of trials: what another sweep completed is not in this one's journal. */
function listAttempts(store: SweepStore, statuses: ReadonlyMap<string, TrialStatus>): void {
  store.writeTrials(
    store.read().trials.map((trial) => {
      const status = statuses.get(trial.spec.trial_id);
      return status?.state === "completed" ? { ...trial, attempt: status.accepted.attempt } : trial;
    }),
  );
}

function announce(
  { name, folder }: SweepStore,
  { trials }: Plan,
  { waiting, numFailed, numLater }: TrialsToRun,
  models: ModelRequest,
  { slots, description }: Place,
  run: RunContext,
): void {
  const { terminal } = run;
  const numDone = trials.length - waiting.length - numFailed - numLater;
  const counts = [
    counted(trials.length, "trial"),
    ...(numDone > 0 ? [`${numDone} already done`] : []),
    ...(numFailed > 0 ? [`${numFailed} failed earlier`] : []),
    ...(numLater > 0 ? [`${numLater} left out, which have not run`] : []),
  ];
  const where = waiting.length === 0 ? "" : `, ${description}`;
  terminal.info(`Sweep ${name}: ${counts.join(", ")}${where}, in ${folder}`);
  const advice = adviseOnIdleCores(slots, waiting, trials, run);
  if (advice !== undefined) terminal.info(advice);
  const described = describeModels(models);
  if (described !== undefined) terminal.info(described);
}

/** Checks what needs no lock. @throws CliprpnError locked, bad_input. */
export function checkSweep(store: SweepStore, request: Pick<SweepRequest, "plan" | "dataset">): void {
  checkNotLeft(store.runsDir, request.plan.trials);
  checkSameData(store, request);
}

/** @throws CliprpnError bad_input if the sweep of this name uses other data: a report compares results on one dataset. */
function checkSameData(store: SweepStore, { plan, dataset }: Pick<SweepRequest, "plan" | "dataset">): void {
  const before = store.experiment()?.dataset;
  if (before === undefined || (before.id === dataset.id && before.split_by === dataset.split_by)) return;
  const describe = ({ name, id, split_by }: StoredExperiment["dataset"]): string =>
    `${name} (${id}, ${split_by} split)`;
  throw new CliprpnError(
    "bad_input",
    `${store.folder}: expected the dataset of this sweep, ${describe(before)}, found ${describe(dataset)}. Give the experiment another name, for example --set name=${slug(`${plan.name}-${dataset.name}`)}, or use another --runs-dir`,
  );
}

function experimentOf({ experiment, plan, dataset, targets, source }: SweepRequest): StoredExperiment {
  const { name, question, published, keep_models, baseline, smallest_difference, alpha, trained_on } = plan;
  const { id, name: dataset_name, split_by } = dataset;
  const { engine: _, ...asked } = experiment; // Where it runs is no part of what it is.
  return {
    schema_version: schemaVersion,
    name,
    question,
    published,
    source,
    dataset: { id, name: dataset_name, split_by },
    keep_models,
    ...(baseline === undefined ? {} : { baseline }),
    ...(smallest_difference === undefined ? {} : { smallest_difference }),
    alpha,
    ...(trained_on === undefined ? {} : { trained_on }),
    ...(targets.length === 0 ? {} : { evaluate_on: targets.map(storedTarget) }),
    experiment: asked,
  };
}

function takenOver({ folder }: SweepStore, cause: unknown): CliprpnError {
  return new CliprpnError(
    "locked",
    `${folder}: the lock of this sweep is lost: another cliprpn process took it over while this one was suspended, or the folder was removed. This process stopped; re-run the same command to continue`,
    { cause },
  );
}
