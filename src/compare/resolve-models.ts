import type { AnswerReading, Protocol, Repeats } from "../contract/generated/types.ts";
import { readCheckedFile } from "../experiment/checked-file.ts";
import { describeUnreadable } from "../experiment/input-files.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { ComparedSplit, FilesModel, Model } from "./comparison.ts";
import { parseCoordinates } from "./coordinates-text.ts";
import { findRun } from "./find-run.ts";
import {
  type ComparisonRequest,
  pathOf,
  type Report,
  type RequestedModel,
  type RequestedRun,
  type Written,
} from "./request.ts";
import { splitNamed, unknownData } from "./resolve-data.ts";
import { resolveTrials } from "./resolve-trials.ts";

/** The models to compare. Problems are reported; what has one is left out. */
export function resolveModels(
  request: ComparisonRequest,
  data: ReadonlyMap<string, ComparedSplit>,
  run: RunContext,
  report: Report,
): Model[] {
  return request.models.flatMap((model) => {
    if (!labelPattern.test(model.label.value)) report(model.label, expectedLabel(model.label.value));
    return resolveModel(model, { request, data, run, report });
  });
}

/** Two models need two names. */
export function checkLabels(
  models: readonly Model[],
  { models: requested, origin }: ComparisonRequest,
  report: Report,
): void {
  const labels = models.map(({ label }) => label);
  for (const label of new Set(labels.filter((each, index) => labels.indexOf(each) < index))) {
    const written = requested.find((model) => model.label.value === label);
    report(
      written?.label ?? { where: origin, offset: 0 },
      `expected each model once, found two of the name ${label}; give one another name`,
    );
  }
}

interface Resolving {
  request: ComparisonRequest;
  data: ReadonlyMap<string, ComparedSplit>;
  run: RunContext;
  report: Report;
}

function resolveModel(model: RequestedModel, resolving: Resolving): Model[] {
  const { request, run, report } = resolving;
  const { label, runs } = model;
  if (runs.length === 0) {
    report(label, `${label.value}: expected files, a trial or a sweep, found none`);
    return [];
  }
  const found = runs.flatMap((each) => {
    const is = findRun(each, pathOf(request, each.what), run, report);
    return is === undefined ? [] : [{ ...is, run: each }];
  });
  const files = found.flatMap((each) => (each.kind === "file" ? [each] : []));
  const others = found.flatMap((each) => (each.kind === "file" ? [] : [each]));
  const [other] = others;
  if (files.length > 0 && other !== undefined) {
    report(other.run.what, `${label.value}: expected only files or only trials of one model, found both`);
    return [];
  }
  if (other === undefined) return files.length === 0 ? [] : [resolveFiles(model, files, resolving)];
  if (model.ownOption !== undefined)
    report(model.ownOption, `${label.value}: only valid for files of answers, found a trial or a sweep`);
  for (const { run: each } of others)
    if (each.data !== undefined)
      report(
        each.what,
        `${label.value}: a trial or a sweep has answers for every split; leave out @${each.data}`,
      );
  return resolveTrials(label, others, run, report);
}

function resolveFiles(
  model: RequestedModel,
  found: { run: RequestedRun; path: string }[],
  { request, data, run, report }: Resolving,
): FilesModel {
  const { label } = model;
  const files = new Map([...data.values()].map(({ name }) => [name, [] as string[]]));
  for (const { run: each } of found)
    if (each.data !== undefined && splitNamed(each.data, data) === undefined)
      report(each.what, unknownData(`the file of ${label.value}`, each.data, data));
  for (const [name, paths] of files) {
    const named = found.filter(
      (each) => each.run.data !== undefined && splitNamed(each.run.data, data)?.name === name,
    );
    const general = found.filter((each) => each.run.data === undefined);
    paths.push(...(named.length > 0 ? named : general).map(({ path }) => path));
    const again = paths.find((path, index) => paths.indexOf(path) < index);
    if (again !== undefined) report(label, `${label.value}: expected each file once, found ${again} again`);
  }
  return {
    kind: "results",
    label: label.value,
    repeats: repeatsOf(model, files, report),
    protocol: protocolOf(model.protocol, request, run, report),
    reading: readingOf(model, report),
    files,
  };
}

/** Several files need a kind; it is none for one. */
function repeatsOf(
  { label, repeats }: RequestedModel,
  files: ReadonlyMap<string, string[]>,
  report: Report,
): Repeats | null {
  const most = Math.max(0, ...[...files.values()].map(({ length }) => length));
  if (most < 2) return null;
  if (repeats === undefined)
    report(
      label,
      `${label.value}: expected what differs between its ${most} files, found nothing; add --repeats ${label.value}=training_seed (trained again), decoding (decoded again) or prompt (another prompt), or "repeats" in the file`,
    );
  return repeats?.value ?? null;
}

function readingOf(model: RequestedModel, report: Report): AnswerReading {
  const { coordinates: written, format = null, columns = null, forceCoordinates } = model;
  const parsed = written === undefined ? undefined : parseCoordinates(written.value);
  if (written !== undefined && parsed !== undefined && "problem" in parsed) report(written, parsed.problem);
  const coordinates = parsed !== undefined && "coordinates" in parsed ? parsed.coordinates : null;
  return { format, columns, coordinates, force_coordinates: forceCoordinates };
}

function protocolOf(
  written: Written<string | Protocol> | undefined,
  request: ComparisonRequest,
  run: RunContext,
  report: Report,
): Protocol | null {
  if (written === undefined) return null;
  const { value } = written;
  if (typeof value !== "string") return value;
  const path = pathOf(request, { ...written, value });
  const unreadable = describeUnreadable(path);
  if (unreadable !== undefined) {
    report(written, `expected a protocol, a JSON file, found ${unreadable}`);
    return null;
  }
  const read = readCheckedFile("Protocol", path, run.cwd, "a protocol");
  if (!("problems" in read)) return read.value;
  for (const { where, message } of read.problems) report({ where, offset: written.offset }, message);
  return null;
}

const labelPattern = /^(?!\s)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,100}(?<!\s)$/u;

function expectedLabel(found: string): string {
  return `expected a name of at most 100 characters, without control characters, and without space at its start or end, found ${JSON.stringify(found.slice(0, 120))}`;
}
