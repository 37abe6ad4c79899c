import assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { Random } from "../../src/dataset/demo/random.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore, trialIds } from "../../src/store/trial-store.ts";
import { checkFree, checkReadable, finishedFiles } from "../helpers/check-runs.ts";
import { compareRuns } from "./compare-runs.ts";
import type { Counts } from "./counts.ts";
import { drawSuffering, type Suffering } from "./draw-faults.ts";
import { FaultBoard } from "./fault-board.ts";
import { nameOf, type Place } from "./places.ts";
import { type RunEnd, runSweep } from "./run-sweep.ts";
import { tear } from "./tear.ts";
import { sweepName, type WorkFolder } from "./work-folder.ts";

export interface Disturbance {
  python: string;
  numWorkers: number;
  random: Random;
  /** Without it, faults cannot happen at changes of the disk. */
  library: string | undefined;
  undisturbed: { work: WorkFolder; places: Place[]; duration_ms: number };
  counts: Counts;
  /** No process is killed after as many in all. */
  maxKills: number;
}

/** Sweeps are compared often, so that a difference has few causes. */
const maxKillsOfSweep = 12;

/**
 * Runs the command of a sweep again and again, each time with other faults, until it completes.
 *
 * @throws AssertionError if something is lost, runs twice or stays, or if the results differ from those of the undisturbed sweep.
 */
export async function disturbSweep(work: WorkFolder, disturbance: Disturbance): Promise<void> {
  const { random, library, undisturbed, counts } = disturbance;
  const killsBefore = counts.numKills;
  const hasCache = existsSync(join(work.cache, "prepared"));
  const places = undisturbed.places.filter(({ path }) => !hasCache || !path.startsWith("cache/"));
  let finished = new Map<string, string>();
  let numFaults = 0;
  for (let number = 1; ; number += 1) {
    const numKills = counts.numKills;
    const isLast = numKills >= disturbance.maxKills || numKills - killsBefore >= maxKillsOfSweep;
    const suffering = isLast
      ? { faults: [], moment: undefined }
      : drawSuffering(random, places, undisturbed.duration_ms);
    const board = new FaultBoard(join(work.folder, "..", "faults"), suffering.faults);
    const end = await runSweep(work, {
      python: disturbance.python,
      numWorkers: disturbance.numWorkers,
      env: library === undefined ? {} : board.env(library, work.folder),
      moment: suffering.moment,
    });
    counts.numRuns += 1;
    const happened = count(suffering, board, end, counts);
    numFaults += happened.length;
    const torn = end.code === null && random.chance(0.4) ? tear(random, work.runs) : undefined;
    if (torn !== undefined)
      counts.other("torn file", `torn ${nameOf({ role: "other", call: "", path: torn })}`);
    log(work, { number, ...suffering, happened, ...end, torn: torn && relative(work.folder, torn) });
    checkEnd(end, happened);
    finished = checkKept(work, finished);
    if (end.code === 0) break;
  }
  compareRuns(undisturbed.work, work, numFaults);
  counts.numSweeps += 1;
  for (const id of trialIds(work.runs)) counts.addTrial(new TrialStore(work.runs, id));
  counts.numRetried += new SweepStore(work.runs, sweepName)
    .entries()
    .filter((entry) => entry.type === "trial_finished" && entry.state === "retried").length;
}

/** Counts the faults that have happened. @returns them, as text. */
function count({ faults, moment }: Suffering, board: FaultBoard, end: RunEnd, counts: Counts): string[] {
  const happened: string[] = [];
  if (moment !== undefined && end.hasKilled) {
    counts.killed(moment.victim, `${moment.victim} at a random moment`);
    happened.push(`kill ${moment.victim} after ${moment.after_ms} ms`);
  }
  for (const { fault: index, change } of board.fired) {
    const fault = faults[index];
    if (fault === undefined) continue;
    const place = `${change.role} ${nameOf(change)}`;
    if (fault.what === "kill") counts.killed(change.role, place);
    else if (fault.what === "kill-parent") counts.killed("worker", place);
    else if (fault.what === "kill-cli") counts.killed("cli", place);
    else counts.other(fault.what === "full" ? "full disk" : fault.what, place);
    happened.push(`${fault.what} ${fault.when} ${place}`);
  }
  return happened;
}

/** The command ends by itself or by the kill, with a message and an exit code that fit, and no process is left. */
function checkEnd({ code, err, left, hangs }: RunEnd, happened: readonly string[]): void {
  assert(!hangs, "the command does not end");
  assert.deepEqual(left, [], "processes are left");
  assert(!/^\s+at .*:\d+:\d+|Traceback|internal error/m.test(err), `the command shows a bug: ${err}`);
  if (code === 0) return;
  const isKilled = happened.some((what) => /^kill/.test(what) && what.includes("cli"));
  if (code === null) assert(isKilled, "the command was killed by something else");
  // Without a worker, a disk or an environment.
  else assert(happened.length > 0 && code === 4, `the command ended with ${code}: ${err}`);
}

/** Everyone can read the results, and none is gone. @returns all results so far. */
function checkKept({ runs }: WorkFolder, before: Map<string, string>): Map<string, string> {
  if (!existsSync(runs)) return before;
  checkReadable(runs);
  const now = finishedFiles(runs);
  const lost = [...before].filter(([file, hash]) => now.get(file) !== hash).map(([file]) => file);
  assert.deepEqual(lost, [], "results that are lost or changed");
  for (const id of trialIds(runs)) checkFree(new TrialStore(runs, id).claimFolder);
  return now;
}

function log(work: WorkFolder, run: object): void {
  appendFileSync(join(work.folder, "..", "runs.log"), `${JSON.stringify(run)}\n`);
}
