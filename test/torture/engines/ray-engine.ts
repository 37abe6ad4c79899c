import { RayCluster } from "../../clusters/ray/ray-cluster.ts";
import { missingRay, rayPython } from "../../clusters/ray/ray-python.ts";
import { checkEmptyQueue, freezePilot } from "./queue-engine.ts";
import type { TorturedEngine } from "./tortured-engine.ts";

/**
 * The actors of a Ray of two nodes on this machine. faults.c is not in its workers: they are killed at random moments only.
 *
 * @throws Error if Ray is not installed.
 */
export async function rayEngine(): Promise<TorturedEngine> {
  if (missingRay !== undefined) throw new Error(missingRay);
  const cluster = await RayCluster.start(rayPython, [{}, {}]);
  return {
    args: ["--engine", "ray", "--ray-address", cluster.address, "--device", "cpu", "--lease-seconds", "8"],
    options: { ray: { num_gpus: 0 } },
    victims: ["cli", "pilot", "pilot", "child", "survivor", "frozen pilot"],
    // Actors end with the driver, and their workers with them.
    outlives: () => false,
    disturb: (victim, work, running) => (victim === "frozen pilot" ? freezePilot(work, running) : undefined),
    checkEmpty: checkEmptyQueue,
    stop: () => cluster.close(),
  };
}
