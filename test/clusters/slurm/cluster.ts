import { afterAll, beforeAll } from "vitest";
import { type Cluster, newCluster } from "./start-cluster.ts";

/** A SLURM of two nodes with two GPUs each, for the tests of a file. */
export function cluster(): Cluster {
  const made = newCluster();
  beforeAll(() => made.start());
  afterAll(() => made.stop());
  return made;
}
