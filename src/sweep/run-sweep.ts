import { describeOwner } from "../base/owner-lock.ts";
import { codeOf } from "../contract/code-identity.ts";
import { CliprpnError, EXIT, isInterruption } from "../contract/errors.ts";
import type { Split, StoredExperiment, SweepEstimate, TrialSpec } from "../contract/generated/types.ts";
import type { FailIf } from "../report/conditions/fail-if.ts";
import { recordCode } from "../store/code-manifests.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { spaceAdvice, spaceError } from "./estimate/disk-need.ts";
import { estimateSweep } from "./estimate/estimate-sweep.ts";
import { plannedTrials } from "./estimate/planned-trials.ts";
import { checkFormerThreads } from "./former-threads.ts";
import { openPlace } from "./machines/open-place.ts";
import { checkRay } from "./machines/ray-place.ts";
import { checkSlurm } from "./machines/slurm-place.ts";
import { notifyEnd } from "./notify.ts";
import { openEngine } from "./open-engine.ts";
import { prepareTrials } from "./prepare/prepare-trials.ts";
import type { ReadPlan } from "./read-plan.ts";
import { listAttempts, reportSweep } from "./results/report-sweep.ts";
import { trialStatuses, trialsToRun } from "./resume.ts";
import { closeDetached, detachTrials } from "./run/detach.ts";
import { defaultCheckpointMinutes, runTrials } from "./run/run-trials.ts";
import { StopWatch } from "./run/watch-stops.ts";
import { isElsewhere, type RunContext, writableRunsDir } from "./run-context.ts";
import { announceSweep } from "./start/announce-sweep.ts";
import { checkSameData, checkSweep } from "./start/check-sweep.ts";
import { storedExperiment } from "./start/stored-experiment.ts";
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
    const damage = store.write(storedExperiment(request, request.source), plan.trials.map(withDevice));
    if (damage !== undefined)
      run.terminal.warn(
        `${damage}. The trials of the experiment are listed again; those of its earlier versions may be missing in the list, and their results stay.`,
      );
    if (waiting.length + numFailed < plan.trials.length)
      listAttempts(store, trialStatuses(store, plan.trials));
    for (const [sources_sha256, kind] of new Map(plan.trials.map((spec) => [spec.sources_sha256, spec.kind])))
      recordCode(store.runsDir, sources_sha256, codeOf(kind));
    announceSweep(store, plan, { waiting: waiting.map(withDevice), numFailed, numLater }, models, place, run);
    if (run.detach === true && waiting.length > 0) {
      const options = { checkpoint_minutes: run.checkpointMinutes ?? defaultCheckpointMinutes };
      await detachTrials(store, plan, { waiting: waiting.map(withDevice), place }, options, run);
      return { code: EXIT.good, file: undefined };
    }
    await runTrials(store, plan, { waiting: waiting.map(withDevice), place, expected }, engine, run, stops);
    if (waiting.length === 0) closeDetached(store);
    return await reportSweep(store, plan, { waiting, split, failIf }, engine, run);
  } finally {
    await engine.close();
  }
}

function takenOver({ folder }: SweepStore, cause: unknown): CliprpnError {
  return new CliprpnError(
    "locked",
    `${folder}: the lock of this sweep is lost: another cliprpn process took it over while this one was suspended, or the folder was removed. This process stopped; re-run the same command to continue`,
    { cause },
  );
}
