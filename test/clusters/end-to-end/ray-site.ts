import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentOf, send } from "../../helpers/marked.ts";
import { RayCluster } from "../ray/ray-cluster.ts";
import { missingRay, rayPython } from "../ray/ray-python.ts";
import { findVictim, freezePilot } from "./queue-victim.ts";
import type { RunningSweep } from "./running-sweep.ts";
import { controllerKilled, type Site } from "./site.ts";

/**
 * The actors of a Ray of three nodes, one actor on each.
 *
 * @param folder the current folder of the command.
 * @throws Error if Ray is not installed.
 */
export async function raySite(folder: string): Promise<Site> {
  if (missingRay !== undefined) throw new Error(missingRay);
  const cluster = await RayCluster.start(rayPython, []);
  // One after the other: Ray gives a node 30 s to start, also on a busy machine.
  for (let number = 0; number < numNodes; number += 1) await cluster.addNode();
  mkdirSync(join(folder, "engines"), { recursive: true });
  writeFileSync(join(folder, "engines/lab.json"), JSON.stringify({ ray: { num_gpus: 0, max_workers: 3 } }));
  return {
    args: [
      ...["--engine", "ray", "--ray-address", cluster.address],
      ...["--device", "cpu", "--lease-seconds", "10"],
    ],
    env: {},
    disturbances: [
      { what: "an actor is killed", happen: killActor },
      controllerKilled,
      { what: "a worker is frozen beyond its lease, and woken", happen: freezePilot },
      { what: "a node is removed", happen: (sweep) => removeNode(cluster, sweep) },
    ],
    left: () => "",
    stop: () => cluster.close(),
  };
}

const numNodes = 3;

/** SIGKILL of the actor that holds a worker. */
async function killActor(sweep: RunningSweep): Promise<void> {
  const { trial_id, attempt, pilot } = await findVictim(sweep);
  const actor = parentOf(pilot.process.pid);
  if (actor !== undefined) send(actor, "SIGKILL");
  await sweep.untilEnded(trial_id, attempt, "retried");
}

/** All processes of the node that runs a trial are killed at once. */
async function removeNode(cluster: RayCluster, sweep: RunningSweep): Promise<void> {
  const { trial_id, attempt, pilot } = await findVictim(sweep);
  const node = cluster.nodes.find((each) => each.pids().includes(pilot.process.pid));
  if (node === undefined) throw new Error(`no node has the worker ${pilot.name}`);
  await node.kill();
  await sweep.untilEnded(trial_id, attempt, "retried", "preempted");
}
