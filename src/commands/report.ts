import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { CliprpnError, EXIT } from "../contract/errors.ts";
import type { Split, TrialGroup } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { hashSources } from "../experiment/identity.ts";
import { verdict } from "../report/verdict.ts";
import { writeReport } from "../report/write-report.ts";
import { Journal } from "../store/journal.ts";
import { SweepStore, sweepFolders } from "../store/sweep-store.ts";
import { liveEvent } from "../sweep/live-event.ts";
import { openEngine, runsFolder } from "../sweep/session.ts";
import type { Arguments, Context } from "./command.ts";
import { chosenSplit, isTest } from "./dataset-choice.ts";

/** `cliprpn report [SWEEP]`: figures with their uncertainty, charts, cases. */
export async function report(args: Arguments, context: Context): Promise<number> {
  const runs = runsFolder(args, context);
  const named = args.text("sweep");
  const folder = named === undefined ? sweepFolders(runs)[0] : namedSweep(named, runs, context.cwd);
  if (folder === undefined)
    throw new CliprpnError("not_found", `${runs}: expected a sweep, found none; run \`cliprpn sweep\` first`);
  const store = SweepStore.open(folder);
  const engine = await openEngine(args, context, store.plan.trials);
  try {
    const split = chosenSplit(args);
    context.terminal.result(await makeReport(store, split, engine, context));
    return EXIT.good;
  } finally {
    await engine.close();
  }
}

/**
 * Evaluates what has no predictions on the split yet, summarizes, writes. A look at a split is journaled.
 *
 * @returns the report's file, as a person would type it.
 */
export async function makeReport(
  store: SweepStore,
  split: Split,
  engine: Engine,
  context: Context,
): Promise<string> {
  const { terminal, signal } = context;
  const { plan } = store;
  const completed = plan.trials.filter(({ trial_id }) => store.outcome(trial_id)?.state === "completed");
  const [first] = completed;
  if (first === undefined)
    throw new CliprpnError(
      "not_found",
      `${store.folder}: no trial is complete, so there is nothing to report`,
    );
  if (isTest(split)) lookAt(store, split, context.commandLine);
  for (const [index, spec] of completed.entries()) {
    if (store.hasPredictions(spec, split)) continue;
    const onEvent = liveEvent(terminal, `${split}, trial ${index + 1} of ${completed.length}: `);
    const model = store.trialDir(spec.trial_id);
    const params = { model, split, dataset: null, out_dir: model, cache_dir: first.cache_dir };
    await engine.call("evaluate", params, { signal, onEvent });
  }
  terminal.live(["summarizing"]);
  const group = (label: string): TrialGroup => {
    const own = completed.filter((spec) => spec.label === label);
    const [head = "", ...rest] = own.map(({ trial_id }) => store.trialDir(trial_id));
    return { label, trial_dirs: [head, ...rest] };
  };
  const others = new Set(completed.map(({ label }) => label).filter((label) => label !== first.label));
  const groups: [TrialGroup, ...TrialGroup[]] = [group(first.label), ...[...others].map(group)];
  const summary = await engine.call("summarize", { split, groups, cache_dir: first.cache_dir }, { signal });
  const input = {
    question: plan.question,
    name: plan.name,
    command: sweepCommand(store) ?? context.commandLine,
    source: plan.source,
    trials: plan.trials.map((spec) => ({ spec, outcome: store.outcome(spec.trial_id) })),
    summary,
    published: plan.published,
    testReads: store.entries().filter((entry) => entry.type === "split_read" && isTest(entry.split)).length,
    sourcesToday: hashSources(),
  };
  const file = await writeReport(input, store.folder);
  terminal.liveDone();
  terminal.info(verdict(summary));
  return relative(context.cwd, file) || file;
}

/** A sweep by its path, or by its name below the runs folder. */
function namedSweep(name: string, runs: string, cwd: string): string {
  const path = resolve(cwd, name);
  return existsSync(path) ? path : resolve(runs, name);
}

/** Notes in the journal that somebody looked at a split. */
export function lookAt(store: SweepStore, split: Split, command: string): void {
  const journal = new Journal(store.journalFile);
  journal.append({ type: "split_read", at: new Date().toISOString(), split, command });
  journal.close();
}

function sweepCommand(store: SweepStore): string | undefined {
  const started = store.entries().find((entry) => entry.type === "sweep_started");
  return started?.type === "sweep_started" ? `npx ${started.command}` : undefined;
}
