/** No-op trials on clusters: cliprpn beside submitit on SLURM, and beside Ray Tune on Ray, each pair on the same cluster. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { count } from "../../src/base/format.ts";
import type { Terminal } from "../../src/terminal/terminal.ts";
import { missingSlurm, newCluster } from "../clusters/slurm/start-cluster.ts";
import { type Timing, type Tool, type TrialKind, time, timeAfterKill } from "./clusters/measured-trials.ts";
import { doesSubmititRunAgain, killJob, slurmPilots, submitit } from "./clusters/on-slurm.ts";
import type { Row } from "./rows.ts";
import { runnersPython } from "./runners/environment.ts";
import { median } from "./statistics.ts";

const numWorkers = 4;
const numTrials = 200;
/** submitit takes seconds for each. */
const numSubmitit = 8;
const numKills = 3;
/** A killed worker's trial runs again, at most so much later. */
const againS = 3;

/** @param python of cliprpn's environment. */
export async function clustersRows(folder: string, python: string, terminal: Terminal): Promise<Row[]> {
  const theirs = await runnersPython(python, terminal);
  return slurmRows(folder, python, theirs, terminal);
}

async function slurmRows(folder: string, python: string, theirs: string, terminal: Terminal): Promise<Row[]> {
  if (missingSlurm !== undefined) {
    terminal.warn(`Skipped: SLURM: ${missingSlurm}`);
    return [];
  }
  const cluster = newCluster();
  cluster.start();
  try {
    const ours = slurmPilots(python, numWorkers, cluster);
    const others = submitit(theirs, numWorkers, cluster);
    const rows: Row[] = [];
    for (const kind of ["none", "torch"] as const) {
      const timing = await time(ours, numTrials, kind, folder);
      const baseline = await time(others, numSubmitit, kind, folder);
      const row = trialRow("SLURM (two nodes)", kind, [ours, timing], [others, baseline]);
      terminal.info(`${row.what}: ${row.ours}; ${row.baseline}`);
      rows.push(row);
    }
    // Its process id says nothing here, as on another machine: SLURM's queue does.
    const elsewhere = ["unshare", "--fork", "--pid", "--kill-child=KILL"];
    const kills: Killed[] = [];
    for (const numOthers of [numWorkers - 1, 0]) {
      const remote = slurmPilots(python, numOthers + 1, cluster, elsewhere);
      kills.push(await measureKills(remote, numOthers, (trials) => killJob(cluster, trials), folder));
    }
    const theirFolder = join(folder, "submitit");
    mkdirSync(theirFolder);
    const again = await doesSubmititRunAgain(theirs, cluster, theirFolder);
    rmSync(theirFolder, { recursive: true });
    const baseline = `submitit: ${again ? "runs again" : "not at all, the job fails"}`;
    return [...rows, ...kills.map((measured) => killRow("SLURM", measured, baseline))];
  } finally {
    cluster.stop();
  }
}

interface Killed {
  numOthers: number;
  seconds: number[];
}

async function measureKills(
  tool: Tool,
  numOthers: number,
  kill: (folder: string) => void,
  folder: string,
): Promise<Killed> {
  const seconds: number[] = [];
  for (let number = 0; number < numKills; number += 1)
    seconds.push(await timeAfterKill(tool, numOthers, kill, folder));
  return { numOthers, seconds };
}

function trialRow(
  where: string,
  kind: TrialKind,
  [ours, a]: [Tool, Timing],
  [others, b]: [Tool, Timing],
): Row {
  const shown = ({ trial_ms, command_s, numTrials: num }: Timing): string =>
    `${trial_ms.toFixed(1)} ms (${count(num)} trials; the whole command ${command_s.toFixed(1)} s)`;
  return {
    what: `a trial that ${kind === "torch" ? "imports torch" : "does nothing"}, ${numWorkers} at a time on ${where}, ${ours.name}; baseline: ${others.name}`,
    ours: shown(a),
    baseline: shown(b),
    result: `${(b.trial_ms / a.trial_ms).toFixed(1)} times as many a second`,
    target: "none",
  };
}

function killRow(where: string, { numOthers, seconds }: Killed, baseline: string): Row {
  const worst = Math.max(...seconds);
  return {
    what: `${where}: a killed worker's trial has started again, ${numOthers > 0 ? "beside idle workers" : "on a new job, as no other worker is there"}`,
    ours: `${median(seconds).toFixed(2)} s (${seconds.map((each) => each.toFixed(2)).join(", ")})`,
    baseline,
    result: `${worst.toFixed(2)} s at most`,
    ...(numOthers > 0 ? { target: `<= ${againS} s`, met: worst <= againS } : { target: "none" }),
  };
}
