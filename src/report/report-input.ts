import type { PublishedFigure, Summary, TrialOutcome, TrialSpec } from "../contract/generated/types.ts";

/** One trial as the report sees it. */
export interface ReportTrial {
  spec: TrialSpec;
  outcome: TrialOutcome | undefined;
}

/** Everything a report is made from; nothing else is read. */
export interface ReportInput {
  question: string;
  name: string;
  /** The command that made (and would continue) the sweep. */
  command: string;
  /** The experiment file and the changes to it, as typed. */
  source: { file: string; sets: string[] };
  trials: ReportTrial[];
  summary: Summary;
  published: PublishedFigure[];
  /** How often test figures of this sweep were looked at, this time included. */
  testReads: number;
  /** Of the Python sources and the lock of today: an outcome made by others is stale. */
  sourcesToday: string;
}

/** An image beside the report, relative to it. */
export interface Picture {
  file: string;
  alt: string;
}

/** A trial as a person names it: a baseline runs once, whatever the seeds. */
export function trialName({ kind, label, seed }: Pick<TrialSpec, "kind" | "label" | "seed">): string {
  return kind === "baseline" ? label : `${label}, seed ${seed}`;
}

export type CompletedTrial = { spec: TrialSpec; outcome: Extract<TrialOutcome, { state: "completed" }> };

export function completedTrials(trials: ReportTrial[]): CompletedTrial[] {
  return trials.flatMap(({ spec, outcome }) => (outcome?.state === "completed" ? [{ spec, outcome }] : []));
}
