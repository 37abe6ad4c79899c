import type {
  AnswerReading,
  OnlyList,
  Protocol,
  PublishedResult,
  Repeats,
  Split,
  StoredExperiment,
} from "../contract/generated/types.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import type { CompletedAttempt } from "../sweep/predict-on.ts";

/** A checked comparison; nothing has been read or run for it. */
export interface Comparison {
  name: string;
  question: string;
  /** The comparison file, or the command. */
  origin: string;
  data: ComparedSplit[];
  models: Model[];
  baseline: string | null;
  /** In percentage points. */
  smallestDifference: number | null;
  alpha: number;
  published: PublishedResult[];
}

/** A split of a dataset. */
export interface ComparedSplit {
  /** NAME:SPLIT, such as `refcoco-unc:testA`. */
  name: string;
  dataset: DatasetIdentity;
  split: Split;
  /** True if it is part of the primary endpoint. */
  inPrimary: boolean;
  only: OnlyList | null;
}

export type Model = FilesModel | TrialsModel;

/** An outside model, by files of its answers. */
export interface FilesModel {
  kind: "results";
  label: string;
  repeats: Repeats | null;
  protocol: Protocol | null;
  reading: AnswerReading;
  /** Absolute paths by the name of the split; several are repeats. */
  files: Map<string, string[]>;
}

/** A configuration of cliprpn, by its trials. */
export interface TrialsModel {
  kind: "trials";
  label: string;
  trials: CompletedAttempt[];
  /** What its sweep declares that weights were trained on. */
  trainedOn: StoredExperiment["trained_on"];
  /** True if no model may run: only predictions that are stored count. */
  isStoredOnly: boolean;
}
