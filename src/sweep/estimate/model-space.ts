import { counted, formatBytes } from "../../base/format.ts";
import type { KeepModels } from "../../contract/generated/types.ts";

/** The models that a sweep will save, and where. */
export interface ModelRequest {
  keep_models: KeepModels;
  /** Size of one saved model of each waiting trial that trains one, in bytes. */
  checkpoints: readonly number[];
  /** Trials that run at the same time. */
  numSlots: number;
  runsDir: string;
}

/** Says which models are kept, and the disk space that they take; undefined if nothing is trained. */
export function describeModels(request: ModelRequest): string | undefined {
  const { keep_models, checkpoints, runsDir } = request;
  if (checkpoints.length === 0) return undefined;
  const trials = counted(checkpoints.length, "trial");
  const size = `about ${formatBytes(keptBytes(request))} in ${runsDir}`;
  switch (keep_models) {
    case "all":
      return `Models: best and last epoch of ${trials}, ${size}; keep_models "best" halves it.`;
    case "best":
      return `Models: best epoch of ${trials}, ${size}.`;
    case "none":
      return `Models: none is kept (keep_models "none"), so ${trials} cannot be evaluated on other splits later.`;
  }
}

/**
 * Disk space of the checkpoints of running trials, in bytes: each has its model, two moments of each weight, and the model of the
 * best epoch. The next checkpoint is written next to it.
 */
export function runningBytes({
  checkpoints,
  numSlots,
}: Pick<ModelRequest, "checkpoints" | "numSlots">): number {
  const running = [...checkpoints].sort((a, b) => b - a).slice(0, numSlots);
  return sum(running) * modelsPerCheckpoint * 2;
}

const modelsPerCheckpoint = 4;

/** The disk space of the models that are kept, in bytes. */
export function keptBytes({
  keep_models,
  checkpoints,
}: Pick<ModelRequest, "keep_models" | "checkpoints">): number {
  return sum(checkpoints) * { all: 2, best: 1, none: 0 }[keep_models];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
