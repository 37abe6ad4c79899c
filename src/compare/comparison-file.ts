import { dirname, resolve } from "node:path";
import type { ComparisonFile, ResultsChoice, ResultsObject } from "../contract/generated/types.ts";
import { readCheckedFile } from "../experiment/checked-file.ts";
import { invalidError } from "../experiment/invalid-error.ts";
import type { Location, Path } from "../experiment/problem.ts";
import type { ComparisonRequest, RequestedModel, RequestedRun, Written } from "./request.ts";

type Where = (path: Path, atKey?: boolean) => Location;

/**
 * Reads a comparison file. Its paths are relative to it.
 *
 * @throws CliprpnError bad_input with all problems, as `file:line:column`.
 */
export function readComparisonFile(file: string, cwd: string): ComparisonRequest {
  const read = readCheckedFile("ComparisonFile", file, cwd, "a comparison");
  if ("problems" in read) throw invalidError(file, read.problems);
  const { value, where } = read;
  const { name, question, smallest_difference, alpha } = value;
  const at = <T>(path: Path, written: T): Written<T> => ({ ...where(path), value: written });
  return {
    origin: file,
    folder: dirname(resolve(cwd, file)),
    name,
    question,
    data: value.data.map((each, index) => at(["data", index], each)),
    models: Object.entries(value.results).flatMap(([label, choice]) =>
      choice === undefined ? [] : [requestedModel(label, choice, where)],
    ),
    primary: textsAt(["primary"], value.primary, where),
    baseline: value.baseline === undefined ? undefined : at(["baseline"], value.baseline),
    smallestDifference: smallest_difference,
    alpha,
    only: requestedLists(value.only, where),
    published: (value.published ?? []).map((each, index) => at(["published", index], each)),
    problems: [],
  };
}

function requestedModel(label: string, choice: ResultsChoice, where: Where): RequestedModel {
  const path = ["results", label];
  const at = <T>(key: string, value: T | undefined): Written<T> | undefined =>
    value === undefined ? undefined : { ...where([...path, key]), value };
  const isObject = typeof choice === "object" && !Array.isArray(choice);
  const { repeats, format, columns, coordinates, force_coordinates, protocol }: ResultsObject = isObject
    ? choice
    : {};
  return {
    label: { ...where(path, true), value: label },
    runs: isObject ? runsOfObject(choice, path, where) : runsAt("any", path, choice, where),
    repeats: at("repeats", repeats),
    format,
    columns: columns === undefined ? undefined : withoutUndefined(columns),
    coordinates: at("coordinates", coordinates),
    forceCoordinates: force_coordinates ?? false,
    protocol: at("protocol", protocol),
    ownOption:
      at("repeats", repeats) ??
      at("format", format) ??
      at("columns", columns) ??
      at("coordinates", coordinates) ??
      at("protocol", protocol),
  };
}

function runsOfObject({ files, trial, sweep }: ResultsObject, path: Path, where: Where): RequestedRun[] {
  const filesPath = [...path, "files"];
  const ofFiles =
    typeof files === "object" && !Array.isArray(files)
      ? Object.entries(files).flatMap(([data, each]) =>
          runsAt("file", [...filesPath, data], each, where).map((run) => ({ ...run, data })),
        )
      : runsAt("file", filesPath, files, where);
  return [
    ...ofFiles,
    ...runsAt("trial", [...path, "trial"], trial, where),
    ...runsAt("sweep", [...path, "sweep"], sweep, where),
  ];
}

function runsAt(
  kind: RequestedRun["kind"],
  path: Path,
  texts: string | string[] | undefined,
  where: Where,
): RequestedRun[] {
  return textsAt(path, texts, where).map((what) => ({ kind, what, data: undefined }));
}

function requestedLists(only: ComparisonFile["only"], where: Where): ComparisonRequest["only"] {
  if (only === undefined) return [];
  if (typeof only === "string") return [{ file: { ...where(["only"]), value: only }, data: undefined }];
  return Object.entries(withoutUndefined(only)).map(([data, value]) => ({
    file: { ...where(["only", data]), value },
    data,
  }));
}

function textsAt(path: Path, texts: string | string[] | undefined, where: Where): Written<string>[] {
  if (texts === undefined) return [];
  return typeof texts === "string"
    ? [{ ...where(path), value: texts }]
    : texts.map((value, index) => ({ ...where([...path, index]), value }));
}

function withoutUndefined(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
}
