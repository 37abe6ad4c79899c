import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { ClipRpnSpec, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import { type PictureSize, readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine, TrialWatcher } from "../engine/engine.ts";
import { hint } from "../experiment/hint.ts";
import type { Plan } from "../experiment/plan.ts";
import type { Journal } from "../store/journal.ts";
import { SweepStore } from "../store/sweep-store.ts";
import type { Arguments, Context } from "./command.ts";
import { SweepProgress } from "./progress.ts";
import { makeReport } from "./report.ts";
import { ensureDataset, openEngine, readPlan, writableRunsFolder } from "./session.ts";
import { trialsToRun } from "./trials-to-run.ts";

/** `cliprpn sweep FILE`: every trial of the plan that has no good outcome yet, then the report. */
export async function sweep(args: Arguments, context: Context): Promise<number> {
  const { plan, dataset } = await readPlan(args, context);
  if (args.flag("dry-run")) return dryRun(plan, args, context);
  return runPlan(plan, dataset, args, context);
}

/** `cliprpn train FILE`: the plan's first trial, or the one of `--setting`. */
export async function train(args: Arguments, context: Context): Promise<number> {
  const { plan, dataset } = await readPlan(args, context);
  const trial = chosenTrial(plan, args.text("setting"));
  const own = { ...plan, hash: trial.trial_id.slice(0, 8), trials: [trial] };
  return runPlan(own, dataset, args, context);
}

function chosenTrial({ trials }: Plan, label: string | undefined): TrialSpec {
  const [first] = trials;
  const found = label === undefined ? first : trials.find((spec) => spec.label === label);
  if (found !== undefined) return found;
  const labels = [...new Set(trials.map((spec) => spec.label))];
  throw new CliprpnError(
    "bad_input",
    `--setting ${label}: expected one of this experiment's settings: ${labels.join(", ")}.${hint(label ?? "", labels)}`,
  );
}

async function runPlan(
  plan: Plan,
  dataset: DatasetIdentity,
  args: Arguments,
  context: Context,
): Promise<number> {
  const runs = writableRunsFolder(args, context);
  const engine = await openEngine(args, context, plan.trials[0]?.num_threads ?? null);
  try {
    const device = await engine.device();
    await ensureDataset(dataset, sizesOf(plan.trials), engine, context);
    checkSplits(dataset);
    const trials = plan.trials.map((spec) => ({ ...spec, device }));
    context.terminal.live(["checking the fusions"]);
    await checkFusions(engine, trials);
    const source = { file: args.needed("file"), sets: args.list("set") };
    const store = SweepStore.create(runs, { ...plan, trials, source });
    await runTrials(store, engine, args, context);
    return await conclude(store, engine, args, context);
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
  engine: Engine,
  args: Arguments,
  context: Context,
): Promise<number> {
  const { terminal } = context;
  const { trials } = store.plan;
  const completed = trials.filter(({ trial_id }) => store.outcome(trial_id)?.state === "completed");
  if (completed.length > 0) {
    const report_file = await makeReport(store, "val", engine, context);
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
function checkSplits({ root }: DatasetIdentity): void {
  const there = readFacts(root).splits.map(({ split }) => split);
  const lacking = (["train", "val"] as const).filter((split) => !there.includes(split));
  if (lacking.length > 0)
    throw new CliprpnError(
      "data_invalid",
      `${root}: a sweep needs sentences in train and val, found none in ${lacking.join(" and ")}; prepare it with other splits`,
    );
}

/** The sizes of pictures that the trials ask for. */
function sizesOf(trials: readonly TrialSpec[]): PictureSize[] {
  const sizes = trials
    .filter(isClipRpn)
    .map(({ settings: { image_size_px, resize } }) => ({ image_size_px, resize }));
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

function dryRun(plan: Plan, args: Arguments, context: Context): number {
  if (args.flag("json")) {
    context.terminal.result(JSON.stringify(plan, null, 2));
    return EXIT.good;
  }
  const width = Math.max(...plan.trials.map(({ label }) => label.length));
  const rows = plan.trials.map(
    (spec) =>
      `${spec.trial_id}  ${spec.label.padEnd(width)}  seed ${spec.seed}  ${spec.kind === "cliprpn" ? spec.preset : spec.kind}`,
  );
  context.terminal.result(
    [plan.question, ...rows, `${rows.length} trials, ${plan.name}-${plan.hash}; nothing was started`].join(
      "\n",
    ),
  );
  return EXIT.good;
}

function now(): string {
  return new Date().toISOString();
}
