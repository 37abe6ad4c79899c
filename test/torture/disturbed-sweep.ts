import assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import { join, relative } from "node:path";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { Random } from "../../src/dataset/demo/random.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { checkFree, checkReadable, finishedFiles } from "../helpers/check-runs.ts";
import { Mark, send } from "../helpers/marked.ts";
import { Boards, type Fired } from "./boards.ts";
import { compareRuns } from "./compare-runs.ts";
import type { Counts } from "./counts.ts";
import { drawSuffering, type Suffering, type Undisturbed } from "./draw-faults.ts";
import { nameOf } from "./places.ts";
import { type RunEnd, type RunOptions, runSweep } from "./run-sweep.ts";
import { tear, trialsFile } from "./tear.ts";
import { sweepName, type WorkFolder } from "./work-folder.ts";

export interface Disturbance extends Pick<RunOptions, "python" | "numWorkers" | "engine"> {
  random: Random;
  /** Without it, faults cannot happen at changes of the disk. */
  library: string | undefined;
  undisturbed: Undisturbed & { work: WorkFolder };
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
  const mark = new Mark(work.runs);
  try {
    await disturb(work, mark, disturbance);
  } finally {
    disturbance.engine.reset?.();
    for (const { pid } of mark.processes()) send(pid, "SIGKILL");
  }
}

async function disturb(work: WorkFolder, mark: Mark, disturbance: Disturbance): Promise<void> {
  const { python, numWorkers, engine, random, library, undisturbed, counts } = disturbance;
  const killsBefore = counts.numKills;
  const hasCache = existsSync(join(work.cache, "prepared"));
  const places = undisturbed.places.filter(({ path }) => !hasCache || !path.startsWith("cache/"));
  const boards = new Boards();
  let finished = new Map<string, string>();
  let numFaults = 0;
  let numFrozen = 0;
  let mayBeTorn = false;
  for (let number = 1; ; number += 1) {
    const numKills = counts.numKills;
    const isLast = numKills >= disturbance.maxKills || numKills - killsBefore >= maxKillsOfSweep;
    const suffering = isLast
      ? { faults: [], moment: undefined }
      : drawSuffering(random, { ...undisturbed, places }, engine.victims);
    const board = boards.add(join(work.folder, "..", `faults-${number}`), suffering.faults);
    const end = await runSweep(work, {
      ...{ python, numWorkers, engine, mark },
      env: library === undefined ? {} : board.env(library, work.folder),
      moment: suffering.moment,
    });
    board.close();
    counts.numRuns += 1;
    const happened = [...countMoment(suffering, end, counts), ...countFaults(boards.newlyFired(), counts)];
    numFaults += happened.length;
    numFrozen += happened.filter((what) => what.includes("frozen")).length;
    const torn = end.code === null && random.chance(0.4) ? tear(random, work.runs) : undefined;
    if (torn !== undefined)
      counts.other("torn file", `torn ${nameOf({ role: "other", call: "", path: torn })}`);
    log(work, { number, ...suffering, happened, ...end, torn: torn && relative(work.folder, torn) });
    checkEnd(end, happened, numFaults);
    mayBeTorn = (mayBeTorn || torn === trialsFile(work.runs)) && isListTorn(work);
    finished = checkKept(work, finished, mayBeTorn);
    if (end.code === 0) break;
  }
  engine.checkEmpty?.(work);
  compareRuns(undisturbed.work, work, { numFaults, numFrozen });
  counts.numSweeps += 1;
  for (const id of trialIds(work.runs)) counts.addTrial(new TrialStore(work.runs, id));
  counts.addEnds(new SweepStore(work.runs, sweepName).journal.ends());
}

/** The moment, as text, if it came. */
function countMoment({ moment }: Suffering, { hasDisturbed }: RunEnd, counts: Counts): string[] {
  if (moment === undefined || !hasDisturbed) return [];
  const { victim, after_ms } = moment;
  const place = `${victim} at a random moment`;
  if (victim === "frozen pilot" || victim === "canceled job") counts.other(victim, place);
  else counts.killed(victim, place);
  return [`kill ${victim} after ${after_ms} ms`];
}

/** The faults that have happened, as text. */
function countFaults(fired: readonly Fired[], counts: Counts): string[] {
  return fired.map(({ fault, change }) => {
    const place = `${change.role} ${nameOf(change)}`;
    if (fault.what === "kill") counts.killed(change.role, place);
    else if (fault.what === "kill-parent") counts.killed(change.role === "child" ? "pilot" : "worker", place);
    else if (fault.what === "kill-cli") counts.killed("cli", place);
    else counts.other(fault.what === "full" ? "full disk" : fault.what, place);
    return `${fault.what} ${fault.when} ${place}`;
  });
}
/** The command ends by itself or by the kill, with a message and an exit code that fit, and no process is left. */
function checkEnd({ code, err, left, hangs }: RunEnd, happened: readonly string[], numFaults: number): void {
  assert(!hangs, "the command does not end");
  assert.deepEqual(left, [], "processes are left");
  assert(!/^\s+at .*:\d+:\d+|Traceback|internal error/m.test(err), `the command shows a bug: ${err}`);
  if (code === 0) return;
  const isKilled = happened.some((what) => /^kill/.test(what) && what.includes("cli"));
  if (code === null) assert(isKilled, "the command was killed by something else");
  // Without a worker, a disk or an environment; those of an earlier run may outlive it.
  else assert(numFaults > 0 && code === 4, `the command ended with ${code}: ${err}`);
}

/** Everyone can read the results, and none is gone. @returns all results so far. */
function checkKept(
  { runs }: WorkFolder,
  before: Map<string, string>,
  isListTorn: boolean,
): Map<string, string> {
  if (!existsSync(runs)) return before;
  if (!isListTorn) checkReadable(runs);
  // What a worker that outlives the run may still write to, or the next run removes.
  const now = new Map([...finishedFiles(runs)].filter(([file]) => !/\/(worker\.log|resume\.pt)$/.test(file)));
  const lost = [...before].filter(([file, hash]) => now.get(file) !== hash).map(([file]) => file);
  assert.deepEqual(lost, [], "results that are lost or changed");
  for (const id of trialIds(runs)) checkFree(new TrialStore(runs, id).claimFolder);
  return now;
}

/** Whether the list of trials is damaged, which its readers say. */
function isListTorn({ runs }: WorkFolder): boolean {
  try {
    new SweepStore(runs, sweepName).rows();
    return false;
  } catch (error) {
    assert(error instanceof CliprpnError && error.code === "bad_input", String(error));
    assert(error.message.includes(trialsFile(runs)), `it does not name the file: ${error.message}`);
    return true;
  }
}

function log(work: WorkFolder, run: object): void {
  appendFileSync(join(work.folder, "..", "runs.log"), `${JSON.stringify(run)}\n`);
}
