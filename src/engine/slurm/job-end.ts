import type { PilotGone } from "../queue/pilot-source.ts";

/**
 * What the end of a job means for the attempt that its pilot had.
 *
 * @param word SLURM's for how it ended; undefined if SLURM has forgotten it.
 */
export function jobEnd(id: string, word: string | undefined): PilotGone {
  switch (word) {
    case "TIMEOUT":
    case "DEADLINE":
      return { how: "preempted", reason: `its job ${id} reached its time limit` };
    case "PREEMPTED":
    case "REVOKED":
      return { how: "preempted", reason: `SLURM preempted its job ${id}` };
    case "OUT_OF_MEMORY":
      return {
        how: "lost",
        reason: `its job ${id} used more memory than it had (OUT_OF_MEMORY); set a larger engine.slurm.mem_gb`,
      };
    default:
      return { how: "lost", reason: `its job ${id} has ended${word === undefined ? "" : ` (${word})`}` };
  }
}
