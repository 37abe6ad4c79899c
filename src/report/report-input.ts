import type {
  AuditSummary,
  Combined,
  CompletedOutcome,
  PublishedFigure,
  Settings,
  Split,
  StoredComparison,
  StoredExperiment,
  Summary,
  SweepStart,
  TrialOrigin,
  TrialOutcome,
  TrialSpec,
} from "../contract/generated/types.ts";

/** Everything a report is made from; it reads nothing else. */
export interface ReportInput {
  question: string;
  name: string;
  cliprpn_version: string;
  dataset: StoredExperiment["dataset"];
  /** The command that started (and would resume) the sweep. */
  command: string;
  /** Trials that ran at the same time, at most; absent if unknown. */
  num_slots?: number;
  /** The experiment file and its `--set` overrides, as typed. */
  source: { file: string; sets: string[] };
  trials: ReportTrial[];
  summary: Summary;
  published: PublishedFigure[];
  /** Number of looks at the test splits of this dataset, by all sweeps in the runs folder. */
  numTestLooks: number;
  /** Number of those at this split; 0 if it is no test split. */
  numLooks: number;
  /** The split of the summary, and what it is in a user's own annotations. */
  split_description: string;
  /** The training set, if several datasets were joined; empty otherwise. */
  training_set?: string;
  /** What may make results on this dataset wrong, one line each. */
  dataset_warnings: string[];
  /** What the weights of the trials were trained on. */
  training: TrainingPart[];
  /** Audits of the shown trials on this split; absent without any. */
  audits?: ShownAudit[];
  /** Keys that the experiment varies, such as `fusion`; null in sweeps of earlier versions. */
  variedKeys: string[] | null;
  /** Trials that only earlier versions of the experiment asked for: kept, and not shown. */
  notAsked: TrialSpec[];
  /** The unchanged presets, to name what a trial changed. */
  presets: Record<"default" | "reference", Settings>;
  /** Names of the report's files. */
  files: ReportFiles;
  /** Of a comparison: the models, their files and protocols. */
  comparison?: StoredComparison;
  /** What the starts of the sweep were expected to take, and what they took; absent in a comparison. */
  starts?: SweepStart[];
  /** Figures over several splits; in a comparison, they have an overview of their own. */
  combined?: Combined;
}

/** An audit of a configuration. */
export interface ShownAudit {
  /** Of its folder. */
  name: string;
  summary: AuditSummary;
  /** True if the trials have been trained again since. */
  isEarlier: boolean;
}

/** Names of a report's files, in the folder of the sweep or comparison. */
export interface ReportFiles {
  /** "REPORT.md"; REPORT.html is beside it. */
  text: string;
  /** "report.json". */
  json: string;
  /** The folder of charts, images and tables: "report/val". */
  place: string;
}

/** Weights that trials use, or a file of boxes, and what they were trained on. */
export interface TrainingPart {
  /** "CLIP RN50-quickgelu", "YOLO yolov8n". */
  name: string;
  /** The configurations that use it. */
  labels: string[] | "all";
  /** Names of datasets; null if undeclared. */
  trained_on: string[] | null;
  /** Who says so: the experiment, the authors of weights that are known, the name of the file, or nobody. */
  source: "declared" | "known" | "file_name" | "undeclared";
}

/** What a verdict is worded from. */
export type VerdictInput = Pick<ReportInput, "summary" | "trials" | "comparison" | "dataset">;

export interface ReportTrial {
  spec: TrialSpec;
  outcome: TrialOutcome | undefined;
  /** The attempt that the report shows; null without a result. */
  attempt: number | null;
  /** True if other code than the current one made the outcome. */
  isStale: boolean;
  /** Where a trial that did not run here came from. */
  origin: TrialOrigin | null;
}

/** NAME:SPLIT of the split in a comparison; empty in a sweep. */
export function dataNames({ comparison, dataset, summary }: Omit<VerdictInput, "trials">): string[] {
  return (comparison?.data ?? [])
    .filter((each) => each.dataset.id === dataset.id && each.split === summary.split)
    .map(({ name }) => name);
}

/** The files of a sweep's report on a split. */
export function splitFiles(split: Split): ReportFiles {
  const suffix = split === "val" ? "" : `-${split}`;
  return { text: `REPORT${suffix}.md`, json: `report${suffix}.json`, place: `report/${split}` };
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

/** Number of epochs that each configuration trains for; a baseline has none. */
export function epochsByLabel(trials: { spec: TrialSpec }[]): Map<string, number> {
  return new Map(
    trials.flatMap(({ spec }) =>
      spec.kind === "cliprpn" ? [[spec.label, spec.settings.training.num_epochs] as const] : [],
    ),
  );
}
