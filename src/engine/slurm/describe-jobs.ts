import { counted, joinWords } from "../../base/format.ts";
import type { Pilot } from "../queue/pilot-watch.ts";
import { type ListedJob, parseLabel } from "./squeue.ts";

export interface JobsNow {
  /** Those that have not ended; undefined before SLURM has answered. */
  jobs: ReadonlyMap<string, ListedJob> | undefined;
  pilots: readonly Pilot[];
  barredNodes: readonly string[];
  /** What SLURM said when it last failed; undefined when it answers. */
  trouble: string | undefined;
}

/** What people should know about the jobs; undefined if nothing. */
export function describeJobs({ jobs, pilots, barredNodes, trouble }: JobsNow): string | undefined {
  if (jobs === undefined) return trouble ?? "asking SLURM for jobs";
  const listed = [...jobs.values()];
  const waiting = listed.filter(({ state }) => state === "waiting");
  const reasons = [...new Set(waiting.map(({ reason }) => reason).filter((reason) => reason !== ""))];
  const ready = new Set(
    pilots.flatMap(({ facts }) => (facts.state === "ready" ? (parseLabel(facts.label)?.id ?? []) : [])),
  );
  const numStarting = listed.filter(({ id, state }) => state === "alive" && !ready.has(id)).length;
  const parts = [
    ...(waiting.length === 0
      ? []
      : [
          `${counted(waiting.length, "job")} in SLURM's queue${reasons.length === 0 ? "" : ` (${reasons.join(", ")})`}`,
        ]),
    ...(numStarting === 0 ? [] : [`${counted(numStarting, "worker")} starting`]),
    ...(barredNodes.length === 0
      ? []
      : [`without ${joinWords(barredNodes)}, where workers did not get ready`]),
    ...(trouble === undefined ? [] : [trouble]),
  ];
  if (parts.length === 0 && ready.size === 0) return "jobs were submitted to SLURM";
  return parts.length === 0 ? undefined : parts.join("; ");
}
