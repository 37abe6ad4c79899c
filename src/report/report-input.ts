import type { TrialKind } from "../contract/code-identity.ts";
import type {
  CompletedOutcome,
  PublishedFigure,
  Settings,
  Summary,
  TrialOutcome,
  TrialSpec,
} from "../contract/generated/types.ts";

/** Everything a report is made from; it reads nothing else. */
export interface ReportInput {
  question: string;
  name: string;
  /** The command that started (and would resume) the sweep. */
  command: string;
  /** The experiment file and its `--set` overrides, as typed. */
  source: { file: string; sets: string[] };
  trials: ReportTrial[];
  summary: Summary;
  published: PublishedFigure[];
  /** Number of times that test results of this sweep were viewed, including now. */
  numTestViews: number;
  /** Hash of the code that decides the results of each kind of trial: an outcome with another hash is stale. */
  currentSources: Record<TrialKind, string>;
  /** The unchanged presets, to name what a trial changed. */
  presets: Record<"default" | "reference", Settings>;
}

export interface ReportTrial {
  spec: TrialSpec;
  outcome: TrialOutcome | undefined;
}

/** An image file next to the report, by its relative path. */
export interface ReportImage {
  file: string;
  alt: string;
}

export interface CompletedTrial {
  spec: TrialSpec;
  outcome: CompletedOutcome;
}

export function completedTrials(trials: ReportTrial[]): CompletedTrial[] {
  return trials.flatMap(({ spec, outcome }) => (outcome?.state === "completed" ? [{ spec, outcome }] : []));
}

/** Trials by their id. */
export function byId<T extends { spec: TrialSpec }>(trials: T[]): Map<string, T> {
  return new Map(trials.map((trial) => [trial.spec.trial_id, trial]));
}

/** "film, seed 0"; a baseline is named by its label alone, since it runs only once. */
export function trialName({ kind, label, seed }: Pick<TrialSpec, "kind" | "label" | "seed">): string {
  return kind === "baseline" ? label : `${label}, seed ${seed}`;
}

/** A label inside a sentence: in quotes if it contains a comma. */
export function quoteLabel(label: string): string {
  return label.includes(",") ? `“${label}”` : label;
}
