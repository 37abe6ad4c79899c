/** No-op trials on SLURM: cliprpn beside submitit, on the same cluster. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Terminal } from "../../src/terminal/terminal.ts";
import { onAnotherMachine } from "../clusters/slurm/another-machine.ts";
import { missingSlurm, newCluster } from "../clusters/slurm/start-cluster.ts";
import { time } from "./clusters/measured-trials.ts";
import { doesSubmititRunAgain, killJob, slurmPilots, submitit } from "./clusters/on-slurm.ts";
import { type Killed, killRow, measureKills, trialRow } from "./clusters/trial-rows.ts";
import type { Row } from "./rows.ts";
import { runnersPython } from "./runners/environment.ts";

const numWorkers = 4;
const numTrials = 200;
/** submitit takes seconds for each. */
const numSubmitit = 8;

/** @param python of cliprpn's environment. */
export async function slurmRows(folder: string, python: string, terminal: Terminal): Promise<Row[]> {
  if (missingSlurm !== undefined) {
    terminal.warn(`Skipped: SLURM: ${missingSlurm}`);
    return [];
  }
  const theirs = await runnersPython(python, terminal);
  const cluster = newCluster();
  cluster.start();
  try {
    const ours = slurmPilots(python, numWorkers, cluster);
    const others = submitit(theirs, numWorkers, cluster);
    const rows: Row[] = [];
    for (const kind of ["none", "torch"] as const) {
      const timing = await time(ours, numTrials, kind, folder);
      const baseline = await time(others, numSubmitit, kind, folder);
      const row = trialRow("SLURM (two nodes)", kind, numWorkers, [
        { tool: ours, timings: [timing] },
        { tool: others, timings: [baseline] },
      ]);
      terminal.info(`${row.what}: ${row.ours}; ${row.baseline}`);
      rows.push(row);
    }
    const kills: Killed[] = [];
    for (const numOthers of [numWorkers - 1, 0]) {
      const remote = slurmPilots(python, numOthers + 1, cluster, onAnotherMachine);
      kills.push(await measureKills(remote, numOthers, (trials) => killJob(cluster, trials), folder));
    }
    const theirFolder = join(folder, "submitit");
    mkdirSync(theirFolder);
    const again = await doesSubmititRunAgain(theirs, cluster, theirFolder);
    rmSync(theirFolder, { recursive: true });
    const baseline = `submitit: ${again ? "runs again" : "not at all, the job fails"}`;
    return [...rows, ...kills.map((killed) => killRow("SLURM", "a new job", killed, baseline))];
  } finally {
    cluster.stop();
  }
}
