import { rmSync } from "node:fs";
import { counted } from "../base/format.ts";
import { replaceFile } from "../base/replace-file.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import type { Plan } from "../experiment/plan.ts";
import { toJson } from "../store/files.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { TrialStore } from "../store/trial-store.ts";
import { SweepController } from "./controller.ts";
import { Leaderboard } from "./leaderboard.ts";
import { SweepProgress } from "./progress.ts";
import { trialStatuses } from "./resume.ts";
import type { RunContext } from "./run-context.ts";
import { TrialClaims } from "./trial-claims.ts";
import { GridSource } from "./trial-source.ts";
import type { StopWatch } from "./watch-stops.ts";

/** Runs trials, records what happens in the journal, and shows it. @throws CliprpnError interrupted, or a fault of the machine. */
export async function runTrials(
  store: SweepStore,
  plan: Plan,
  { waiting, slots }: { waiting: TrialSpec[]; slots: readonly string[] },
  engine: Engine,
  run: RunContext,
  stops: StopWatch,
): Promise<void> {
  const { terminal, signal, json, commandLine } = run;
  const { runsDir } = store;
  const accOf = (spec: TrialSpec): number | undefined => acceptedAcc(runsDir, spec);
  const progress = new SweepProgress(terminal, {
    name: plan.name,
    waiting,
    total: plan.trials.length,
    numSlots: slots.length,
    json,
    leaderboard: leaderboardBefore(plan, waiting, accOf),
    accOf,
  });
  const claims = new TrialClaims(waiting, {
    runsDir,
    keep_models: plan.keep_models,
    checkpoint_minutes: run.checkpointMinutes ?? defaultCheckpointMinutes,
    command: commandLine,
  });
  const journal = store.openJournal();
  try {
    journal.append({
      type: "sweep_started",
      num_trials: plan.trials.length,
      command: commandLine,
      ...(waiting.length === 0 ? {} : { num_slots: slots.length }),
    });
    const controller = new SweepController({
      source: new GridSource(waiting),
      claims,
      slots,
      launch: (options) => engine.launch(options),
      watcher: progress,
      record: (entry) => journal.append(entry),
      ...(run.retries === undefined ? {} : { retries: run.retries }),
      ...(run.maxFailures === undefined ? {} : { maxFailures: run.maxFailures }),
    });
    stops.onTrial = (trial_id, reason) => controller.cancel(trial_id, { state: "canceled", reason });
    const publish = setInterval(() => publishStatus(store, progress), publishEveryMs);
    try {
      await controller.run(signal);
    } finally {
      clearInterval(publish);
      rmSync(store.statusFile, { force: true });
    }
    terminal.liveDone();
    signal.throwIfAborted();
    if (controller.hasGivenUp)
      terminal.info(
        `Stopped after ${counted(controller.numFailed, "failed trial")}. Re-run the same command to run the trials that have not started, --retry-failed to run failed ones again.`,
      );
    const states = [...trialStatuses(store, plan.trials).values()].map(({ state }) => state);
    journal.append({
      type: "sweep_finished",
      num_completed: states.filter((state) => state === "completed").length,
      num_failed: states.filter((state) => state === "failed").length,
    });
  } finally {
    await claims.close();
    journal.close();
  }
}

/** The leaderboard before the first of these trials runs. */
function leaderboardBefore(
  { trials }: Plan,
  waiting: readonly TrialSpec[],
  accOf: (spec: TrialSpec) => number | undefined,
): Leaderboard {
  const leaderboard = new Leaderboard(trials);
  if (waiting.length === 0) return leaderboard; // It is not shown.
  const isWaiting = new Set(waiting.map(({ trial_id }) => trial_id));
  for (const spec of trials) {
    const acc_at_50 = isWaiting.has(spec.trial_id) ? undefined : accOf(spec);
    if (acc_at_50 !== undefined) leaderboard.completed(spec, acc_at_50);
  }
  return leaderboard;
}

/** Acc@0.5 on val of the attempt that counts; undefined if there is none. @throws CliprpnError bad_input. */
function acceptedAcc(runsDir: string, spec: TrialSpec): number | undefined {
  const trial = new TrialStore(runsDir, spec.trial_id);
  const accepted = trial.shown(spec.sources_sha256);
  const outcome = accepted === undefined ? undefined : trial.outcome(accepted.attempt);
  return outcome?.state === "completed" ? outcome.metrics.acc_at_50 : undefined;
}

/** For `cliprpn status`; what has to be written reports a full disk. */
function publishStatus(store: SweepStore, progress: SweepProgress): void {
  try {
    replaceFile(store.statusFile, toJson(progress.snapshot()));
  } catch {
    // It is tried again.
  }
}

const publishEveryMs = 1000;

const defaultCheckpointMinutes = 10;
