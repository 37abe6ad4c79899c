/** No-op trials on Ray: cliprpn beside Ray Tune, on the same cluster, in turns. */
import type { Terminal } from "../../src/terminal/terminal.ts";
import { RayCluster } from "../clusters/ray/ray-cluster.ts";
import { type Timing, type Tool, time } from "./clusters/measured-trials.ts";
import { killActor, killTuneActor, rayPilots, rayTune } from "./clusters/on-ray.ts";
import { killedText, killRow, measureKills, trialRow } from "./clusters/trial-rows.ts";
import type { Row } from "./rows.ts";
import { runnersPython } from "./runners/environment.ts";

const numTrials = 100;
/** Every other pair is the other way round. */
const numPairs = 5;
const nodes = [{ numCpus: 2 }, { numCpus: 2 }];
const numWorkers = 4;

/** @param python of cliprpn's environment. */
export async function rayRows(folder: string, python: string, terminal: Terminal): Promise<Row[]> {
  const theirs = await runnersPython(python, terminal);
  const cluster = await RayCluster.start(theirs, nodes);
  try {
    const ours = rayPilots({ python, rayPython: theirs, numWorkers, address: cluster.address });
    const others = rayTune(theirs, numWorkers, cluster.address);
    const pairs: [Timing, Timing][] = [];
    while (pairs.length < numPairs) {
      const run = (tool: Tool): Promise<Timing> => time(tool, numTrials, "none", folder);
      const isOursFirst = pairs.length % 2 === 0;
      const first = await run(isOursFirst ? ours : others);
      const second = await run(isOursFirst ? others : ours);
      pairs.push(isOursFirst ? [first, second] : [second, first]);
    }
    const row = trialRow("Ray (two nodes)", "none", numWorkers, [
      { tool: ours, timings: pairs.map(([timing]) => timing) },
      { tool: others, timings: pairs.map(([, timing]) => timing) },
    ]);
    terminal.info(`${row.what}: ${row.ours}; ${row.baseline}; ${row.result}`);
    const numOthers = numWorkers - 1;
    const killed = await measureKills(ours, numOthers, killActor, folder);
    const baseline = await measureKills(others, numOthers, killTuneActor, folder);
    return [row, killRow("Ray", "a new actor", killed, `Ray Tune: ${killedText(baseline)}`)];
  } finally {
    await cluster.close();
  }
}
