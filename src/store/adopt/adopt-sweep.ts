import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { OwnerLock, tryOwnerLock } from "../../base/owner-lock.ts";
import { moveDurably } from "../../base/replace-file.ts";
import { codeHashes } from "../../contract/code-identity.ts";
import { readLines } from "../journal.ts";
import { SweepStore } from "../sweep-store.ts";
import { addLooks } from "../test-looks.ts";
import { TrialStore } from "../trial-store.ts";
import { isTrain, type OldPlan, upgradeLook } from "./old-layout.ts";

/** A sweep of the old layout. */
export interface OldSweep {
  /** Name of its folder. */
  from: string;
  folder: string;
  plan: OldPlan;
}

/**
 * Makes a folder of the old layout, whose trials have been moved, the sweep of its name. If that exists already, its trials are
 * listed there as those of an earlier experiment. What else the folder contains stays in `adopted/` of the sweep; moving it there
 * is the last step.
 *
 * @returns false if another process is working on the sweep.
 */
export async function adoptSweep(runsDir: string, old: OldSweep): Promise<boolean> {
  const store = sweepFor(runsDir, old);
  mkdirSync(store.folder, { recursive: true });
  const lock = await tryOwnerLock(store.lockFolder, { onLost: () => undefined });
  if (!(lock instanceof OwnerLock)) return false;
  try {
    const lines = readLines(join(old.folder, "journal.jsonl"));
    addLooks(
      runsDir,
      lines.flatMap((line) => upgradeLook(line, store.name, old.plan)),
    );
    if (!store.exists) createSweep(store, old);
    store.addEarlier(old.plan.trials.map(({ spec }) => spec));
    showAttempts(store);
    const kept = join(store.folder, "adopted");
    mkdirSync(kept, { recursive: true });
    moveFolder(old.folder, freeName(kept, old.from));
    return true;
  } finally {
    await lock.release();
  }
}

/** The sweep of the plan's name; if that has other data, or for `train`, the sweep of the folder's name. */
function sweepFor(runsDir: string, { from, plan }: OldSweep): SweepStore {
  const { name, dataset: own } = plan.experiment;
  const names = isTrain(plan) ? [from] : [name, from];
  for (let number = 1; ; number += 1) {
    const store = new SweepStore(runsDir, names[number - 1] ?? `${from}-${number}`);
    const dataset = store.experiment()?.dataset;
    if (dataset === undefined || (dataset.id === own.id && dataset.split_by === own.split_by)) return store;
  }
}

/** Its journal and reports move first: experiment.json, with which the sweep exists, is written last. */
function createSweep(store: SweepStore, { folder, plan }: OldSweep): void {
  const { experiment, trials } = plan;
  for (const entry of readdirSync(folder).filter(isShown))
    moveDurably(join(folder, entry), join(store.folder, entry));
  store.write(
    { ...experiment, name: store.name },
    trials.map(({ spec }) => spec),
  );
}

function isShown(name: string): boolean {
  return /^(REPORT.*\.md|summary-.*\.json|report|journal\.jsonl)$/.test(name);
}

/** Lists the attempts that the reports show. */
function showAttempts(store: SweepStore): void {
  const hashes = codeHashes();
  store.writeTrials(
    store.read().trials.map((trial) => {
      const shown = new TrialStore(store.runsDir, trial.spec.trial_id).shown(hashes[trial.spec.kind]);
      return { ...trial, attempt: trial.attempt ?? shown?.attempt ?? null };
    }),
  );
}

/** Moves a folder; for a link to one, that folder. */
function moveFolder(from: string, to: string): void {
  const isLink = lstatSync(from).isSymbolicLink();
  moveDurably(isLink ? realpathSync(from) : from, to);
  if (isLink) unlinkSync(from);
}

function freeName(folder: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const path = join(folder, number === 1 ? name : `${name}-${number}`);
    if (!existsSync(path)) return path;
  }
}
