import { queueEngine } from "./queue-engine.ts";
import { slurmEngine } from "./slurm-engine.ts";
import { localEngine, type TorturedEngine } from "./tortured-engine.ts";

export type TortureEngine = "local" | "queue" | "slurm";

/** One row an engine: where trials run, and what can happen to them there. */
export const engines: Record<TortureEngine, () => TorturedEngine> = {
  local: () => localEngine,
  queue: () => queueEngine,
  slurm: slurmEngine,
};
