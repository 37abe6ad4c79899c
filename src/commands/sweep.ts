import { closest } from "fastest-levenshtein";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { TrialOutcome, TrialSpec } from "../contract/generated/types.ts";
import type { Engine, TrialWatcher } from "../engine/engine.ts";
import type { Plan } from "../experiment/plan.ts";
import type { Journal } from "../store/journal.ts";
import { SweepStore } from "../store/sweep-store.ts";
import type { Arguments, Context } from "./command.ts";
import { SweepProgress } from "./progress.ts";
import { makeReport } from "./report.ts";
import { ensureDataset, openEngine, readPlan, runsFolder } from "./session.ts";

/** `cliprpn sweep FILE`: every trial of the plan that has no good outcome yet, then the report. */
export async function sweep(args: Arguments, context: Context): Promise<number> {
  const { plan, dataset } = await readPlan(args, context);
  if (args.flag("dry-run")) return dryRun(plan, args, context);
  await ensureDataset(dataset, context);
  return runPlan(plan, args, context);
}

/** `cliprpn train FILE`: the plan's first trial, or the one of `--setting`. */
export async function train(args: Arguments, context: Context): Promise<number> {
  const { plan, dataset } = await readPlan(args, context);
  const trial = chosenTrial(plan, args.text("setting"));
  await ensureDataset(dataset, context);
  return runPlan({ ...plan, hash: trial.trial_id.slice(0, 8), trials: [trial] }, args, context);
}

function chosenTrial({ trials }: Plan, label: string | undefined): TrialSpec {
  const [first] = trials;
  const found = label === undefined ? first : trials.find((spec) => spec.label === label);
  if (found !== undefined) return found;
  const labels = [...new Set(trials.map((spec) => spec.label))];
  throw new CliprpnError(
    "bad_input",
    `--setting ${label}: expected one of this experiment's settings: ${labels.join(", ")}. Did you mean ${closest(label ?? "", labels)}?`,
  );
}

async function runPlan(plan: Plan, args: Arguments, context: Context): Promise<number> {
  const { terminal, signal } = context;
  const engine = await openEngine(args, context, plan.trials[0]?.num_threads ?? null);
  try {
    const device = await engine.device();
    const trials = plan.trials.map((spec) => ({ ...spec, device }));
    await checkBeforeWork(engine, trials, signal);
    const store = SweepStore.create(runsFolder(args, context), {
      ...plan,
      trials,
      source: { file: args.needed("file"), sets: args.list("set") },
    });
    const { journal, release } = await store.lock();
    try {
      const waiting = trialsToRun(store, trials, args, context);
      const done = trials.length - waiting.length;
      terminal.info(
        `Sweep ${plan.name}: ${trials.length} trials${done > 0 ? `, ${done} done already` : ""}, on ${device}, in ${store.folder}`,
      );
      journal.append({
        type: "sweep_started",
        at: now(),
        num_trials: trials.length,
        command: context.commandLine,
      });
      const progress = new SweepProgress(terminal, {
        waiting,
        total: trials.length,
        numSlots: Math.max(1, args.number("workers") ?? 1),
        json: args.flag("json"),
      });
      await engine.run(waiting, store, journaled(progress, journal), signal);
      terminal.liveDone();
      if (signal.aborted)
        throw new CliprpnError("interrupted", "Interrupted. The same command goes on with what is left.");
      const states = trials.map(({ trial_id }) => store.outcome(trial_id)?.state);
      const num_completed = states.filter((state) => state === "completed").length;
      journal.append({
        type: "sweep_finished",
        at: now(),
        num_completed,
        num_failed: trials.length - num_completed,
      });
      if (num_completed > 0) await makeReport(store, "val", engine, context);
      else terminal.info("No trial is complete, so there is no report.");
      return num_completed === trials.length ? EXIT.good : EXIT.some_failed;
    } finally {
      await release();
    }
  } finally {
    await engine.close();
  }
}

/** What would fail every trial is found before the first: the data set, and each fusion. */
async function checkBeforeWork(engine: Engine, trials: TrialSpec[], signal: AbortSignal): Promise<void> {
  const [first] = trials;
  if (first === undefined) return;
  await engine.call("index_dataset", { dataset: first.dataset, cache_dir: first.cache_dir }, { signal });
  const fusions = new Map(
    trials.map((spec) => [JSON.stringify([spec.settings.fusion, spec.settings.neck_channels]), spec]),
  );
  for (const spec of fusions.values()) await engine.call("check_fusion", { spec }, { signal });
}

/** Trials without an outcome that counts; says which finished ones do not, and why. */
function trialsToRun(
  store: SweepStore,
  trials: TrialSpec[],
  args: Arguments,
  { terminal }: Context,
): TrialSpec[] {
  const stale: TrialSpec[] = [];
  const waiting = trials.filter((spec) => {
    const outcome = store.outcome(spec.trial_id);
    if (outcome === undefined) return true;
    if (outcome.state === "failed") {
      if (args.flag("retry-failed")) store.setAside(spec, `failed-${Date.now()}`);
      else
        terminal.info(
          `${spec.label}, seed ${spec.seed}: failed before (${outcome.error.code}); --retry-failed runs it again`,
        );
      return args.flag("retry-failed");
    }
    if (outcome.sources_sha256 === spec.sources_sha256) return false;
    stale.push(spec);
    if (args.flag("accept-stale")) return false;
    store.setAside(spec, outcome.sources_sha256.slice(0, 8));
    return true;
  });
  if (stale.length > 0) {
    const what = args.flag("accept-stale")
      ? "kept, as --accept-stale says"
      : "run again (--accept-stale would keep them; the old outcomes stay beside the new)";
    terminal.warn(
      `${stale.length} finished ${stale.length === 1 ? "trial is" : "trials are"} stale: made by other Python sources or another lock; ${what}`,
    );
  }
  return waiting;
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
    ({ trial_id, label, seed, preset }) => `${trial_id}  ${label.padEnd(width)}  seed ${seed}  ${preset}`,
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
