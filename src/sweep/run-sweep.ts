import type { Arguments, Context } from "../commands/command.ts";
import { makeReport } from "../commands/report.ts";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { ClipRpnSpec, Split, StoredPlan, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import { type ImageSize, readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine, TrialWatcher } from "../engine/engine.ts";
import type { Plan } from "../experiment/plan.ts";
import type { Journal } from "../store/journal.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { SweepProgress } from "./progress.ts";
import { imageSizeFor, readyDetectors } from "./ready-detectors.ts";
import { ensureDataset, openEngine, writableRunsFolder } from "./session.ts";
import { trialsToRun } from "./trials-to-run.ts";

/** What a plan was made from, and which split its report is of. */
export interface PlanRun {
  plan: Plan;
  dataset: DatasetIdentity;
  source: StoredPlan["source"];
  split: Split;
}

/** Runs a plan to its report. @returns the exit code. */
export async function runPlan(run: PlanRun, args: Arguments, context: Context): Promise<number> {
  const { plan, dataset, source, split } = run;
  const runs = writableRunsFolder(args, context);
  const engine = await openEngine(args, context, plan.trials);
  try {
    const device = await engine.device();
    await ensureDataset(dataset, sizesOf(plan.trials), engine, context);
    const trials = plan.trials.map((spec) => ({ ...spec, device }));
    checkSplits(dataset, trials);
    context.terminal.live(["checking the fusions"]);
    await checkFusions(engine, trials);
    await readyDetectors(trials, engine, args, context);
    const store = SweepStore.create(runs, { ...plan, trials, source });
    await runTrials(store, engine, args, context);
    return await conclude(store, split, engine, args, context);
  } finally {
    await engine.close();
  }
}

/** Runs what has no outcome that counts yet. @throws CliprpnError interrupted; locked. */
async function runTrials(
  store: SweepStore,
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  const lost = new AbortController();
  const { journal, release } = await store.lock({
    onWait: () =>
      terminal.info("Another cliprpn works on this sweep, or did until a moment ago; waiting for it."),
    onLost: () => lost.abort(),
  });
  try {
    const { trials } = store.plan;
    const waiting = trialsToRun(store, args, terminal);
    announce(store, waiting, args, context);
    journal.append({
      type: "sweep_started",
      at: now(),
      num_trials: trials.length,
      command: context.commandLine,
    });
    const progress = new SweepProgress(terminal, {
      waiting,
      total: trials.length,
      numSlots: args.number("workers") ?? 1,
      json: args.flag("json"),
    });
    await engine.run(waiting, store, journaled(progress, journal), AbortSignal.any([signal, lost.signal]));
    terminal.liveDone();
    signal.throwIfAborted();
    if (lost.signal.aborted) throw new CliprpnError("locked", `${store.folder}: another cliprpn took over`);
    const states = trials.map(({ trial_id }) => store.outcome(trial_id)?.state);
    const count = (wanted: TrialOutcome["state"]): number =>
      states.filter((state) => state === wanted).length;
    journal.append({
      type: "sweep_finished",
      at: now(),
      num_completed: count("completed"),
      num_failed: count("failed"),
    });
  } finally {
    await release();
  }
}

/** The report, and the exit code that says whether all trials are complete. */
async function conclude(
  store: SweepStore,
  split: Split,
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<number> {
  const { terminal } = context;
  const { trials } = store.plan;
  const completed = trials.filter(({ trial_id }) => store.outcome(trial_id)?.state === "completed");
  if (completed.length > 0) {
    const report_file = await makeReport(store, split, engine, context);
    terminal.result(args.flag("json") ? JSON.stringify({ type: "report", report_file }) : report_file);
  } else terminal.info("No trial is complete, so there is no report.");
  return completed.length === trials.length ? EXIT.good : EXIT.some_failed;
}

function announce(store: SweepStore, waiting: TrialSpec[], args: Arguments, { terminal }: Context): void {
  const { name, trials } = store.plan;
  const done = trials.length - waiting.length;
  const device = trials[0]?.device ?? "";
  const why = args.text("device") === "auto" && device === "cpu" ? " (no GPU that torch can use)" : "";
  terminal.info(
    `Sweep ${name}: ${trials.length} ${trials.length === 1 ? "trial" : "trials"}${done > 0 ? `, ${done} done already` : ""}, on ${device}${why}, in ${store.folder}`,
  );
}

/** @throws CliprpnError data_invalid, where there is nothing to train on, or to choose by. */
function checkSplits({ root }: DatasetIdentity, trials: readonly TrialSpec[]): void {
  const there = readFacts(root).splits.map(({ split }) => split);
  const needed = trials.some(trains) ? (["train", "val"] as const) : (["val"] as const);
  const lacking = needed.filter((split) => !there.includes(split));
  if (lacking.length > 0)
    throw new CliprpnError(
      "data_invalid",
      `${root}: expected sentences in ${needed.join(" and ")}, found none in ${lacking.join(" and ")}; prepare it with other splits`,
    );
}

function trains(spec: TrialSpec): boolean {
  return spec.kind === "cliprpn" || spec.baseline.detector.kind === "trained_yolo";
}

/** The sizes of images that the trials ask for. */
function sizesOf(trials: readonly TrialSpec[]): ImageSize[] {
  const sizes = trials.map(imageSizeFor);
  return [...new Map(sizes.map((size) => [`${size.resize} ${size.image_size_px}`, size])).values()];
}

function isClipRpn(spec: TrialSpec): spec is ClipRpnSpec {
  return spec.kind === "cliprpn";
}

/** What would fail every trial is found before the first. */
async function checkFusions(engine: Engine, trials: TrialSpec[]): Promise<void> {
  const fusions = new Map(
    trials
      .filter(isClipRpn)
      .map((spec) => [JSON.stringify([spec.settings.fusion, spec.settings.neck_channels]), spec]),
  );
  for (const spec of fusions.values()) await engine.call("check_fusion", { spec });
}

/** Puts what happens into the journal before it is shown. */
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
