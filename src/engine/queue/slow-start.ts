import { formatDuration } from "../../base/format.ts";
import type { WorkerNow } from "../../contract/generated/types.ts";

/** A worker that a cluster has started, and that was not ready in time. */
export interface SlowStart {
  /** Of its job or actor, as in a label: `slurm:12_3`. */
  id: string;
  /** Empty if it is not known. */
  node: string;
}

/**
 * Time between a worker's start and its being ready, at most. A pilot that lives says so itself a minute before; many nodes that read
 * Python's packages from one share at the same time need minutes.
 */
export const maxStartMs = 660_000;

/** Says what happened, and what it looks like. */
export function describeSlowStart(maxMs: number): string {
  return `its worker was not ready after ${formatDuration(maxMs)}, and was ended. Importing Python's packages from a file system that does not answer looks like this. \`cliprpn doctor --engine slurm\` (or \`ray\`) tries a node`;
}

/** For the list of workers: one that never said anything itself. */
export function slowWorker({ id, node }: SlowStart, maxMs: number): WorkerNow {
  const place = node === "" ? id : `${node} (${id})`;
  return { name: id, worker: place, node, state: "refused", reason: describeSlowStart(maxMs) };
}
