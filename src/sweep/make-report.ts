import { relative } from "node:path";
import { codeHashes } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Split, TrialGroup, TrialSpec } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { presets } from "../experiment/presets.ts";
import { verdict } from "../report/verdict.ts";
import { writeReport } from "../report/write-report.ts";
import { Journal } from "../store/journal.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { liveEvent } from "./progress.ts";
import type { Context } from "./run-context.ts";

/**
 * Evaluates the trials that have no predictions on the split yet, summarizes, and writes the report. A look at a test split
 * goes into the journal first.
 *
 * @returns path of the report, relative to the current folder.
 * @throws CliprpnError not_found if no trial is complete.
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
      `${store.folder}: expected at least one completed trial, found none; run the sweep first`,
    );
  if (isTest(split)) recordLook(store, split, context.commandLine);
  await predict(completed, split, store, engine, context);
  terminal.live(["summarizing"]);
  const params = { split, groups: groupsOf(completed, first, store), cache_dir: first.cache_dir };
  const summary = await engine.call("summarize", params, { signal });
  const file = await writeReport(
    {
      question: plan.question,
      name: plan.name,
      command: sweepCommand(store) ?? context.commandLine,
      source: plan.source,
      trials: plan.trials.map((spec) => ({ spec, outcome: store.outcome(spec.trial_id) })),
      summary,
      published: plan.published,
      numTestViews: store.entries().filter((entry) => entry.type === "split_read" && isTest(entry.split))
        .length,
      currentSources: codeHashes(),
      presets,
    },
    store.folder,
  );
  terminal.liveDone();
  terminal.info(verdict(summary));
  return relative(context.cwd, file) || file;
}

/** True if evaluations on the split are counted. */
export function isTest(split: Split): boolean {
  return split.startsWith("test");
}

/** Records in the journal that a split was evaluated. */
export function recordLook(store: SweepStore, split: Split, command: string): void {
  const journal = new Journal(store.journalFile);
  journal.append({ type: "split_read", at: new Date().toISOString(), split, command });
  journal.close();
}

async function predict(
  trials: TrialSpec[],
  split: Split,
  store: SweepStore,
  engine: Engine,
  { terminal, signal }: Context,
): Promise<void> {
  for (const [index, spec] of trials.entries()) {
    if (store.hasPredictions(spec, split)) continue;
    const onEvent = liveEvent(terminal, `${split}, trial ${index + 1} of ${trials.length}: `);
    const model = store.trialDir(spec.trial_id);
    const params = { model, split, dataset: null, out_dir: model, cache_dir: spec.cache_dir };
    await engine.call("evaluate", params, { signal, onEvent });
  }
}

/** The trials' folders by configuration, in the order of the plan. */
function groupsOf(trials: TrialSpec[], first: TrialSpec, store: SweepStore): [TrialGroup, ...TrialGroup[]] {
  const groups = new Map<string, TrialGroup>();
  for (const { label, trial_id } of trials) {
    const folder = store.trialDir(trial_id);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, { label, trial_dirs: [folder] });
    else group.trial_dirs.push(folder);
  }
  const [head = { label: first.label, trial_dirs: [""] }, ...rest] = groups.values();
  return [head, ...rest];
}

function sweepCommand(store: SweepStore): string | undefined {
  const started = store.entries().find((entry) => entry.type === "sweep_started");
  return started?.type === "sweep_started" ? `npx ${started.command}` : undefined;
}
