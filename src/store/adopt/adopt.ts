import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { hasCode, namesIn } from "../../base/files.ts";
import { compareTexts } from "../../base/format.ts";
import { type AcquireOptions, acquireOwnerLock } from "../../base/owner-lock.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { FileFusion } from "../../contract/generated/types.ts";
import { parseJson, readText } from "../files.ts";
import { adoptSweep, type OldSweep } from "./adopt-sweep.ts";
import { type AdoptedAttempt, finishMoved, moveTrial } from "./adopt-trial.ts";
import { readOldPlan } from "./old-layout.ts";
import { isRunByOldVersion, mayBeRunByOldVersion, removeOldLock } from "./old-lock.ts";

/** What was adopted from the old layout, and what was not. */
export interface Adopted {
  numTrials: number;
  numSweeps: number;
  /** Models whose fusion's source has changed since: they load when `file` contains the source with this hash. */
  missingSources: { file: string; original: FileFusion }[];
  left: LeftSweep[];
}

/** A folder of the old layout that stays as it is for now. */
export interface LeftSweep {
  folder: string;
  why: string;
  /** Today's ids of its trials; empty if its plan cannot be read. */
  trial_ids: string[];
}

export interface AdoptOptions extends Pick<AcquireOptions, "command" | "signal" | "onWait"> {
  /** Called with the number of trials that have been moved, and of all. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Adopts the sweeps and trials of cliprpn's first layout. Their folders are renamed; nothing is deleted or trained again. It may be
 * killed at any time: the next call finishes. Costs one listing of the folder when there is nothing to adopt.
 *
 * A sweep that an earlier version of cliprpn is running stays, and so do all sweeps of its name.
 */
export async function adoptOldRuns(runsDir: string, options: AdoptOptions): Promise<Adopted> {
  const nothing = { numTrials: 0, numSweeps: 0, missingSources: [], left: [] };
  if (oldFolders(runsDir).length === 0) return nothing;
  const lock = await acquireOwnerLock(join(runsDir, "adopt-lock"), { ...options, onLost: () => undefined });
  try {
    return await adoptLocked(runsDir, options);
  } finally {
    await lock.release();
  }
}

async function adoptLocked(runsDir: string, options: AdoptOptions): Promise<Adopted> {
  const { signal, onProgress } = options;
  const { sweeps, left } = await sweepsToAdopt(runsDir, options);
  const leave = (sweep: OldSweep, why: string): void => {
    left.push(leftSweep(sweep, why));
  };
  const moved: OldSweep[] = [];
  const total = numTrialsOf(sweeps);
  let done = 0;
  const onMoved = (): void => {
    done += 1;
    onProgress?.(done, total);
    signal?.throwIfAborted();
  };
  // The oldest first: the numbers of attempts grow in time.
  for (const sweep of sweeps.toReversed()) {
    try {
      if (await moveTrials(runsDir, sweep, onMoved)) moved.unshift(sweep);
      else leave(sweep, "another process is running one of its trials");
    } catch (error) {
      if (!hasCode(error, "EXDEV")) throw error;
      leave(sweep, `it is on another disk than ${join(runsDir, "trials")}; move it to ${runsDir}`);
    }
  }
  const attempts = new Map(moved.map((sweep) => [sweep.from, attemptsOf(runsDir, sweep)]));
  accept([...attempts].flatMap(([from, all]) => all.map((each) => ({ ...each, from }))));
  const adopted: OldSweep[] = [];
  for (const sweep of moved) {
    if (mayBeRunByOldVersion(sweep.folder)) leave(sweep, runByOldVersion);
    else if (await adoptSweep(runsDir, sweep)) adopted.push(sweep);
    else leave(sweep, "another process is working on the sweep of its name");
  }
  const kept = adopted.flatMap(({ from }) => attempts.get(from) ?? []);
  return {
    numTrials: new Set(kept.map(({ trial }) => trial.trial_id)).size,
    numSweeps: adopted.length,
    missingSources: kept.flatMap(missingSource),
    left,
  };
}

/** The trials of the sweeps that were not adopted, by today's id, and their sweep's folder. */
export function leftTrials(runsDir: string): Map<string, string> {
  const trials = oldFolders(runsDir).flatMap((folder) => {
    const plan = tryReadPlan(folder);
    return plan instanceof CliprpnError
      ? []
      : plan.trials.map(({ spec }) => [spec.trial_id, folder] as const);
  });
  return new Map(trials);
}

/** The sweeps to adopt, newest first, and those that stay. */
async function sweepsToAdopt(
  runsDir: string,
  { signal, onProgress }: AdoptOptions,
): Promise<{ sweeps: OldSweep[]; left: LeftSweep[] }> {
  const readable: OldSweep[] = [];
  const left: LeftSweep[] = [];
  for (const folder of oldFolders(runsDir)) {
    const plan = tryReadPlan(folder);
    if (plan instanceof CliprpnError)
      left.push({
        folder,
        why: `its plan cannot be read (${plan.message}); use the version of cliprpn that made it, or move the folder elsewhere`,
        trial_ids: [],
      });
    else readable.push({ from: basename(folder), folder, plan });
  }
  onProgress?.(0, numTrialsOf(readable)); // The next step may wait for seconds.
  const running = new Set<OldSweep>();
  for (const sweep of readable) if (await isRunByOldVersion(sweep.folder, signal)) running.add(sweep);
  const names = new Set([...running].map(({ plan }) => plan.experiment.name));
  const stays = ({ plan }: OldSweep): boolean => names.has(plan.experiment.name);
  for (const sweep of readable.filter(stays))
    left.push(leftSweep(sweep, running.has(sweep) ? runByOldVersion : sameNameRuns));
  const sweeps = readable.filter((sweep) => !stays(sweep));
  for (const { folder } of sweeps) removeOldLock(folder);
  return { sweeps, left };
}

function numTrialsOf(sweeps: readonly OldSweep[]): number {
  return sweeps.reduce((sum, { plan }) => sum + plan.trials.length, 0);
}

const runByOldVersion = "an earlier version of cliprpn is running it";
const sameNameRuns = "an earlier version of cliprpn is running another sweep of its name";

function leftSweep({ folder, plan }: OldSweep, why: string): LeftSweep {
  return { folder, why, trial_ids: plan.trials.map(({ spec }) => spec.trial_id) };
}

/** Folders of the old layout, the one that was planned last first. */
function oldFolders(runsDir: string): string[] {
  return namesIn(runsDir)
    .filter((name) => !own.has(name))
    .flatMap((name) => {
      const folder = join(runsDir, name);
      // People put files there too, and systems: .DS_Store.
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
      const plan = statSync(join(folder, "plan.json"), { throwIfNoEntry: false });
      return plan === undefined ? [] : [{ folder, plannedAt: plan.mtimeMs }];
    })
    .sort((a, b) => b.plannedAt - a.plannedAt || compareTexts(a.folder, b.folder))
    .map(({ folder }) => folder);
}

/** What lies in a runs folder of today. */
const own = new Set(["trials", "sweeps", "code", "adopt-lock", "import-lock", "test-looks.jsonl"]);

function tryReadPlan(folder: string): ReturnType<typeof readOldPlan> | CliprpnError {
  const file = join(folder, "plan.json");
  try {
    return readOldPlan(parseJson(readText(file) ?? ""), file);
  } catch (error) {
    if (error instanceof CliprpnError) return error;
    throw error;
  }
}

/** @returns false if another process is running a trial; its folder stays. */
async function moveTrials(
  runsDir: string,
  { from, folder, plan }: OldSweep,
  onMoved: () => void,
): Promise<boolean> {
  let isDone = true;
  for (const trial of plan.trials) {
    const isMoved = await moveTrial(runsDir, { ...trial, from, folder: join(folder, trial.old_id) });
    isDone &&= isMoved;
    onMoved();
  }
  return isDone;
}

function attemptsOf(runsDir: string, { from, folder, plan }: OldSweep): AdoptedAttempt[] {
  return plan.trials.flatMap((trial) =>
    finishMoved(runsDir, { ...trial, from, folder: join(folder, trial.old_id) }),
  );
}

/** Accepts the completed attempts; of several by the same code, the one that finished last. */
function accept(attempts: (AdoptedAttempt & { from: string })[]): void {
  const completed = attempts.flatMap(({ trial, attempt, from }) => {
    const outcome = trial.outcome(attempt);
    return outcome?.state === "completed" ? [{ trial, attempt, from, outcome }] : [];
  });
  const newestFirst = completed.toSorted(
    (a, b) => Date.parse(b.outcome.finished_at) - Date.parse(a.outcome.finished_at),
  );
  for (const { trial, attempt, from, outcome } of newestFirst)
    trial.accept(attempt, outcome.sources_sha256, { kind: "adopted", from }, outcome.finished_at);
}

function missingSource({
  trial,
  attempt,
  missingSource: original,
}: AdoptedAttempt): Adopted["missingSources"] {
  return original === undefined ? [] : [{ file: join(trial.attempt(attempt).folder, "fusion.py"), original }];
}
