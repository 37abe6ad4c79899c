import type {
  CompletedOutcome,
  PublishedFigure,
  Settings,
  Summary,
  TrialOrigin,
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
  /** Number of looks at the test splits of this dataset, by all sweeps in the runs folder. */
  numTestLooks: number;
  /** Trials that only earlier versions of the experiment asked for: kept, and not shown. */
  notAsked: TrialSpec[];
  /** The unchanged presets, to name what a trial changed. */
  presets: Record<"default" | "reference", Settings>;
}

export interface ReportTrial {
  spec: TrialSpec;
  outcome: TrialOutcome | undefined;
  /** True if other code than the current one made the outcome. */
  isStale: boolean;
  /** Where a trial that did not run here came from. */
  origin: TrialOrigin | null;
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
