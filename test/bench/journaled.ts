/** Sweeps of made plans, run like real ones without a report. */
import { mkdirSync } from "node:fs";
import type { TrialOutcome, TrialSpec } from "../../src/contract/generated/types.ts";
import type { LaunchOptions } from "../../src/engine/engine.ts";
import type { Launcher } from "../../src/engine/launcher.ts";
import type { Plan } from "../../src/experiment/plan.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { SweepController } from "../../src/sweep/run/controller.ts";
import { TrialClaims } from "../../src/sweep/run/trial-claims.ts";
import { GridSource } from "../../src/sweep/run/trial-source.ts";

/** A plan of trials that compare nothing. */
export function planOf(trials: TrialSpec[]): Plan {
  return { name: "bench", question: "", published: [], keep_models: "all", trials, alpha: 0.05 };
}

/** A sweep in a new runs folder. */
export function storedSweep(
  runsDir: string,
  { trials, name, question, published, keep_models }: Plan,
): SweepStore {
  const store = new SweepStore(runsDir, name);
  const [first] = trials;
  if (first === undefined) throw new Error("the plan has no trial");
  const { id, name: dataset_name, split_by } = first.dataset;
  mkdirSync(store.folder, { recursive: true });
  store.write(
    {
      schema_version: 1,
      name,
      question,
      published,
      keep_models,
      source: { file: "bench.json", sets: [] },
      dataset: { id, name: dataset_name, split_by },
    },
    trials,
  );
  return store;
}

/**
 * Like `sweep`: under the sweep's lock, each trial is claimed, stored, run and accepted, and each event is synced to the journal
 * before it is reported.
 *
 * @param again is called when a trial runs again, since its worker was lost.
 * @returns the outcomes, in the order in which the trials ended.
 */
export async function runJournaled(
  engine: { launch(options: LaunchOptions): Launcher },
  store: SweepStore,
  { trials, keep_models }: Plan,
  slots: readonly string[] = ["cpu"],
  again: () => void = unexpected,
): Promise<TrialOutcome[]> {
  const { signal } = new AbortController();
  const command = "npm run bench";
  const lock = await store.lock({ command, onLost: () => undefined });
  const journal = store.journal.open();
  const claims = new TrialClaims(trials, { runsDir: store.runsDir, keep_models, command });
  const outcomes: TrialOutcome[] = [];
  const controller = new SweepController({
    source: new GridSource(trials),
    claims,
    slots,
    launch: (options) => engine.launch(options),
    record: (entry) => journal.append(entry),
    watcher: {
      started: () => undefined,
      event: () => undefined,
      finished: (_attempt, _slot, outcome) => {
        if (outcome !== undefined) outcomes.push(outcome);
      },
      again,
      found: unexpected,
      waiting: unexpected,
    },
  });
  try {
    await controller.run(signal);
    return outcomes;
  } finally {
    await claims.close();
    journal.close();
    await lock.release();
  }
}

/** The same for trials that all complete. @throws if one did not. */
export async function runToCompletion(
  engine: { launch(options: LaunchOptions): Launcher },
  store: SweepStore,
  plan: Plan,
  numWorkers: number,
  again?: () => void,
): Promise<void> {
  const slots = Array.from({ length: numWorkers }, () => "cpu");
  const outcomes = await runJournaled(engine, store, plan, slots, again);
  const numCompleted = outcomes.filter(({ state }) => state === "completed").length;
  if (numCompleted !== plan.trials.length)
    throw new Error(`expected ${plan.trials.length} completed trials, found ${numCompleted}`);
}

function unexpected(): never {
  throw new Error("another process runs these trials, or one of them failed");
}
