import { queueEngine } from "./queue-engine.ts";
import { rayEngine } from "./ray-engine.ts";
import { slurmEngine } from "./slurm-engine.ts";
import { localEngine, type TorturedEngine } from "./tortured-engine.ts";

export type TortureEngine = "local" | "queue" | "slurm" | "ray";

/** One row an engine: where trials run, and what can happen to them there. */
export const engines: Record<TortureEngine, () => Promise<TorturedEngine>> = {
  local: async () => localEngine,
  queue: async () => queueEngine,
  slurm: slurmEngine,
  ray: rayEngine,
};
