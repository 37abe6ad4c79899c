import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { Split, StoredPlan, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import type { Engine, TrialWatcher } from "../engine/engine.ts";
import type { Plan } from "../experiment/plan.ts";
import type { Journal } from "../store/journal.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { makeReport } from "./make-report.ts";
import { openEngine } from "./open-engine.ts";
import { preflight } from "./preflight.ts";
import { SweepProgress } from "./progress.ts";
import { trialsToRun } from "./resume.ts";
import { type RunContext, writableRunsDir } from "./run-context.ts";

/** The plan to run, and the split to report. */
export interface SweepRequest {
  plan: Plan;
  dataset: DatasetIdentity;
  source: StoredPlan["source"];
  split: Split;
}

/** Runs the trials that have no outcome yet, then writes the report. @returns the exit code. */
export async function runSweep(request: SweepRequest, run: RunContext): Promise<number> {
  const { plan, dataset, source, split } = request;
  const runsDir = writableRunsDir(run);
  const engine = await openEngine(run, plan.trials);
  try {
    const device = await engine.device();
    const trials = plan.trials.map((spec) => ({ ...spec, device }));
    await preflight(trials, dataset, engine, run);
    const { keep_models: _, ...planned } = plan;
    const store = SweepStore.create(runsDir, { ...planned, trials, source });
    await runTrials(store, engine, run);
    return await report(store, split, engine, run);
  } finally {
    await engine.close();
  }
}

/** @throws CliprpnError interrupted; locked. */
async function runTrials(store: SweepStore, engine: Engine, run: RunContext): Promise<void> {
  const { terminal, signal, numSlots, json } = run;
  const lost = new AbortController();
  const { journal, release } = await store.lock({
    onWait: () =>
      terminal.info(
        "Another cliprpn process is running this sweep, or stopped a few seconds ago; waiting for it.",
      ),
    onLost: () => lost.abort(),
  });
  try {
    const { trials } = store.plan;
    const waiting = trialsToRun(store, run);
    announce(store, waiting, run);
    journal.append({ type: "sweep_started", at: now(), num_trials: trials.length, command: run.commandLine });
    const progress = new SweepProgress(terminal, { waiting, total: trials.length, numSlots, json });
    await engine.run(waiting, store, journaled(progress, journal), AbortSignal.any([signal, lost.signal]));
    terminal.liveDone();
    signal.throwIfAborted();
    if (lost.signal.aborted)
      throw new CliprpnError(
        "locked",
        `${store.folder}: another cliprpn process took over this sweep; this one stopped`,
      );
    const states = trials.map(({ trial_id }) => store.outcome(trial_id)?.state);
    const numOf = (state: TrialOutcome["state"]): number => states.filter((each) => each === state).length;
    journal.append({
      type: "sweep_finished",
      at: now(),
      num_completed: numOf("completed"),
      num_failed: numOf("failed"),
    });
  } finally {
    await release();
  }
}

/** Writes the report if a trial is complete. @returns the exit code: whether all of them are. */
async function report(store: SweepStore, split: Split, engine: Engine, run: RunContext): Promise<number> {
  const { terminal, json } = run;
  const { trials } = store.plan;
  const completed = trials.filter(({ trial_id }) => store.outcome(trial_id)?.state === "completed");
  if (completed.length > 0) {
    const report_file = await makeReport(store, split, engine, run);
    terminal.result(json ? JSON.stringify({ type: "report", report_file }) : report_file);
  } else terminal.info("No trial completed, so no report was written.");
  return completed.length === trials.length ? EXIT.good : EXIT.some_failed;
}

function announce(
  store: SweepStore,
  waiting: TrialSpec[],
  { device: requested, terminal }: RunContext,
): void {
  const { name, trials } = store.plan;
  const numDone = trials.length - waiting.length;
  const device = trials[0]?.device ?? "";
  const reason = requested === "auto" && device === "cpu" ? " (torch finds no GPU)" : "";
  terminal.info(
    `Sweep ${name}: ${trials.length} ${trials.length === 1 ? "trial" : "trials"}${numDone > 0 ? `, ${numDone} already done` : ""}, on ${device}${reason}, in ${store.folder}`,
  );
}

/** Writes each change to the journal before it is shown. */
function journaled(watcher: TrialWatcher, journal: Journal): TrialWatcher {
  return {
    started(spec, slot) {
      journal.append({ type: "trial_started", at: now(), trial_id: spec.trial_id, slot });
      watcher.started(spec, slot);
    },
    event: (spec, slot, event) => watcher.event(spec, slot, event),
    finished(spec, slot, outcome: TrialOutcome | undefined, duration_ms) {
      journal.append({
        type: "trial_finished",
        at: now(),
        trial_id: spec.trial_id,
        state: outcome?.state ?? "interrupted",
        duration_ms,
      });
      watcher.finished(spec, slot, outcome, duration_ms);
    },
  };
}

function now(): string {
  return new Date().toISOString();
}
