/** `tsx own-and-wait.ts PYTHON`: starts a cluster, prints its folder and the ids of its processes, and waits for its own end. */
import { RayCluster } from "./ray-cluster.ts";

const cluster = await RayCluster.start(process.argv[2] ?? "", [{}]);
process.stdout.write(`${JSON.stringify({ folder: cluster.folder, pids: cluster.pids() })}\n`);
setInterval(() => undefined, 60_000);
