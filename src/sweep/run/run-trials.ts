import { rmSync } from "node:fs";
import { isDiskError } from "../../base/files.ts";
import { counted } from "../../base/format.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { EXIT, isInterruption } from "../../contract/errors.ts";
import type { SweepEstimate, TrialSpec } from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Plan } from "../../experiment/plan.ts";
import { toJson } from "../../store/files.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { StartMeasurement } from "../estimate/start-measurement.ts";
import type { Place } from "../machines/place.ts";
import { trainingDevice } from "../machines/training-device.ts";
import { PreparationProgress } from "../prepare/preparation-progress.ts";
import { prepareFeatures } from "../prepare/prepare-features.ts";
import { IntervalsSoFar } from "../results/intervals-so-far.ts";
import { askedTrial, Leaderboard, type TrialResult } from "../results/leaderboard.ts";
import { acceptedResult } from "../results/stored-results.ts";
import { trialStatuses } from "../resume.ts";
import type { RunContext } from "../run-context.ts";
import { exitCodeFor } from "../sweep-notice.ts";
import { SweepProgress } from "../view/sweep-progress.ts";
import { isAllMade } from "./already-made.ts";
import { SweepController } from "./controller.ts";
import { pauseSweep } from "./pause.ts";
import { TrialClaims } from "./trial-claims.ts";
import { GridSource } from "./trial-source.ts";
import type { StopWatch } from "./watch-stops.ts";

/** Runs trials, records what happens in the journal, and shows it. @throws CliprpnError interrupted, or a fault of the machine. */
export async function runTrials(
  store: SweepStore,
  plan: Plan,
  { waiting, place, expected }: { waiting: TrialSpec[]; place: Place; expected: SweepEstimate },
  engine: Engine,
  run: RunContext,
  stops: StopWatch,
): Promise<void> {
  const { terminal, signal, json, commandLine } = run;
  const { runsDir } = store;
  const { slots } = place;
  const resultOf = (spec: TrialSpec): TrialResult | undefined => acceptedResult(runsDir, spec);
  const leaderboard = leaderboardBefore(plan, waiting, resultOf);
  let controller: SweepController | undefined;
  const preparation = new PreparationProgress(terminal, {
    json,
    logFile: (attempt) => store.preparations.at(attempt).logFile,
    redraw: () => progress.redraw(),
  });
  const progress: SweepProgress = new SweepProgress(terminal, {
    name: plan.name,
    waiting,
    total: plan.trials.length,
    numSlots: slots.length,
    json,
    leaderboard,
    resultOf,
    preparing: () => preparation.status,
    workers: () => controller?.workers(),
  });
  const intervals = new IntervalsSoFar({
    leaderboard,
    trials: plan.trials,
    confidence: 1 - plan.alpha,
    runsDir,
    engine: place.calls ?? engine,
    onFailure: (error) => {
      if (isInterruption(error, signal)) return;
      const message = error instanceof Error ? error.message : String(error);
      terminal.warn(`No confidence intervals while the sweep runs: ${message}`);
    },
  });
  const claims = new TrialClaims(waiting, {
    runsDir,
    keep_models: plan.keep_models,
    checkpoint_minutes: run.checkpointMinutes ?? defaultCheckpointMinutes,
    command: commandLine,
  });
  const before = store.journal.lastLeaderboard();
  const journal = store.journal.open();
  try {
    journal.append({
      type: "sweep_started",
      num_trials: plan.trials.length,
      command: commandLine,
      ...(waiting.length === 0 || place.isElsewhere ? {} : { num_slots: slots.length }),
    });
    // Nobody knows how many workers will join.
    if (waiting.length > 0 && !place.isElsewhere)
      journal.append({ type: "sweep_estimated", estimate: expected });
    const measured = new StartMeasurement(runsDir, waiting[0]?.cache_dir ?? "");
    const publish = setInterval(() => {
      intervals.update();
      progress.redraw();
      publishStatus(store, progress);
    }, publishEveryMs);
    try {
      const started = new SweepController({
        source: new GridSource(waiting),
        claims,
        slots,
        launch: (options) => place.launch(options),
        prepare: async (launcher, hasTrials, ended) => {
          const isNeeded = hasTrials && !isAllMade(waiting, trainingDevice(run));
          if (!isNeeded && launcher.leftPreparation?.() === undefined) return;
          await prepareFeatures(waiting, {
            store,
            launcher,
            slots,
            watcher: preparation,
            record: (entry) => journal.append(entry),
            signal: ended,
            maxRetries: run.retries?.worker_lost,
          });
        },
        watcher: progress,
        record: (entry) => {
          journal.append(entry);
          if (entry.type === "trial_finished") measured.ended(entry);
        },
        ...(run.retries === undefined ? {} : { retries: run.retries }),
        ...(run.maxFailures === undefined ? {} : { maxFailures: run.maxFailures }),
      });
      controller = started;
      stops.onTrial = (trial_id, reason) => started.cancel(trial_id, { state: "canceled", reason });
      await started.run(signal);
      if (!signal.aborted) await intervals.complete();
    } catch (error) {
      terminal.liveDone();
      if (!isInterruption(error, signal) && exitCodeFor(error) === EXIT.environment)
        throw pauseSweep(store, plan.trials, { journal, fault: error, run });
      throw error;
    } finally {
      clearInterval(publish);
      await intervals.close();
      removeStatus(store);
    }
    terminal.liveDone();
    if (waiting.length > 0)
      journal.append({ type: "sweep_measured", is_interrupted: signal.aborted, ...measured.soFar() });
    signal.throwIfAborted();
    if (controller?.hasGivenUp)
      terminal.info(
        `Stopped after ${counted(controller.numFailed, "failed trial")}. Re-run the same command to run the trials that have not started, --retry-failed to run failed ones again.`,
      );
    const states = [...trialStatuses(store, plan.trials).values()].map(({ state }) => state);
    journal.append({
      type: "sweep_finished",
      num_completed: states.filter((state) => state === "completed").length,
      num_failed: states.filter((state) => state === "failed").length,
      // Without a trial to run, nothing has changed, and no leaderboard was made.
      ...(waiting.length > 0 ? { leaderboard: leaderboard.soFar() } : before && { leaderboard: before }),
    });
  } finally {
    await claims.close();
    journal.close();
  }
}

/** The leaderboard before the first of these trials runs. */
function leaderboardBefore(
  { trials, alpha }: Plan,
  waiting: readonly TrialSpec[],
  resultOf: (spec: TrialSpec) => TrialResult | undefined,
): Leaderboard {
  const leaderboard = new Leaderboard(trials.map(askedTrial), 1 - alpha);
  if (waiting.length === 0) return leaderboard; // It is not shown.
  const isWaiting = new Set(waiting.map(({ trial_id }) => trial_id));
  for (const spec of trials) {
    const result = isWaiting.has(spec.trial_id) ? undefined : resultOf(spec);
    if (result !== undefined) leaderboard.completed(spec, result);
  }
  return leaderboard;
}

/** For `cliprpn status`; what has to be written reports a full disk. */
function publishStatus(store: SweepStore, progress: SweepProgress): void {
  try {
    replaceFile(store.statusFile, toJson(progress.snapshot()));
  } catch {
    // It is tried again.
  }
}

/** It counts only while the sweep's lock is held. */
function removeStatus(store: SweepStore): void {
  try {
    rmSync(store.statusFile, { force: true });
  } catch (error) {
    if (!isDiskError(error)) throw error; // The error to show is that of the work.
  }
}

const publishEveryMs = 1000;

export const defaultCheckpointMinutes = 10;
