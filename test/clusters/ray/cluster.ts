import { afterAll, beforeAll } from "vitest";
import { type NodeOptions, RayCluster } from "./ray-cluster.ts";
import { rayPython } from "./ray-python.ts";

/** A cluster of Ray for the tests of a file; it is there once tests run. */
export function cluster(nodes: NodeOptions[]): () => RayCluster {
  let started: RayCluster | undefined;
  beforeAll(async () => {
    started = await RayCluster.start(rayPython, nodes);
  });
  afterAll(() => started?.close());
  return () => {
    if (started === undefined) throw new Error("the cluster of Ray is there only while tests run");
    return started;
  };
}
