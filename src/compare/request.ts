import { resolve } from "node:path";
import type { AnswerFormat, Protocol, PublishedResult, Repeats } from "../contract/generated/types.ts";
import type { LocatedProblem, Location } from "../experiment/problem.ts";

/** A value that a person wrote in a file or as an option, and where. */
export interface Written<T> extends Location {
  value: T;
}

/** What a person asks to compare, before anything is looked up. */
export interface ComparisonRequest {
  /** The comparison file, or the command. */
  origin: string;
  /** The folder that paths are relative to. */
  folder: string;
  name: string | undefined;
  question: string | undefined;
  data: Written<string>[];
  models: RequestedModel[];
  /** Empty for the default. */
  primary: Written<string>[];
  baseline: Written<string> | undefined;
  /** In percentage points. */
  smallestDifference: number | undefined;
  alpha: number | undefined;
  only: RequestedList[];
  published: Written<PublishedResult>[];
  /** Of the request itself, to be reported with those of what it names. */
  problems: LocatedProblem[];
}

export interface RequestedModel {
  label: Written<string>;
  runs: RequestedRun[];
  repeats: Written<Repeats> | undefined;
  format: AnswerFormat | undefined;
  columns: Record<string, string> | undefined;
  coordinates: Written<string> | undefined;
  forceCoordinates: boolean;
  protocol: Written<string | Protocol> | undefined;
  /** One of these options that was given for this model, not for all models. */
  ownOption: Location | undefined;
}

/** One file, trial or sweep of a model. */
export interface RequestedRun {
  kind: "file" | "trial" | "sweep" | "any";
  /** A path or a name. */
  what: Written<string>;
  /** NAME:SPLIT, if it has answers for one split only. */
  data: string | undefined;
}

/** A list of reviewed expressions. */
export interface RequestedList {
  file: Written<string>;
  /** NAME:SPLIT; undefined for all. */
  data: string | undefined;
}

/** Problems of a request, which are all reported at once. */
export type Report = (where: Location, message: string) => void;

/** Collects problems. */
export function collector(problems: LocatedProblem[] = []): { problems: LocatedProblem[]; report: Report } {
  return {
    problems,
    report({ where, offset }, message) {
      problems.push({ where, offset, message });
    },
  };
}

export function pathOf({ folder }: Pick<ComparisonRequest, "folder">, { value }: Written<string>): string {
  return resolve(folder, value);
}

/** Where an option was typed. */
export function at(option: string, text: string): Location {
  return { where: `${option} ${text}`.trim(), offset: 0 };
}
