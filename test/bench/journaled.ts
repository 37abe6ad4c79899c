/** Sweeps of made plans, run like real ones without a report. */
import { mkdirSync } from "node:fs";
import type { TrialOutcome } from "../../src/contract/generated/types.ts";
import type { LaunchOptions } from "../../src/engine/engine.ts";
import type { Launcher } from "../../src/engine/launcher.ts";
import type { Plan } from "../../src/experiment/plan.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { SweepController } from "../../src/sweep/controller.ts";
import { TrialClaims } from "../../src/sweep/trial-claims.ts";
import { GridSource } from "../../src/sweep/trial-source.ts";

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
  const journal = store.openJournal();
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

function unexpected(): never {
  throw new Error("another process runs these trials, or one of them failed");
}
