import type { Combined, ImageOriginCount, StoredComparison } from "../../contract/generated/types.ts";
import type { ReportFiles, TrainingPart } from "../report-input.ts";

/** Everything that the overview of a comparison on several splits is made from; it reads nothing else. */
export interface OverviewInput {
  question: string;
  /** Of the comparison. */
  name: string;
  cliprpn_version: string;
  command: string;
  combined: Combined;
  comparison: StoredComparison;
  /** What is known of each split, in the order of `combined.endpoints`. */
  endpoints: OverviewEndpoint[];
  /** Names of the overview's files. */
  files: ReportFiles;
}

/** A split of an overview. */
export interface OverviewEndpoint {
  /** NAME:SPLIT, as in `combined.endpoints`. */
  name: string;
  /** The files of its own report. */
  files: ReportFiles;
  /** Number of looks at this split; 0 if it is no test split. */
  numLooks: number;
  /** What may make results on this dataset wrong, one line each. */
  dataset_warnings: string[];
  /** Evaluated images by the collection that they come from: `summary.image_origins`. */
  image_origins: ImageOriginCount[];
  /** What the models were trained on: known of weights of trials, or declared by protocols. */
  training: TrainingPart[];
}
