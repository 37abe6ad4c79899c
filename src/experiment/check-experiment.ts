import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { hashFileSync } from "../base/hash-file.ts";
import { check, findSchemaErrors } from "../contract/check.ts";
import type { DatasetChoice, DetectorChoice, Experiment, Split } from "../contract/generated/types.ts";
import { evaluationProblems, trainingProblems } from "./evaluation-rules.ts";
import { datasetProblems, fileProblems, fusionFile, fusionObjects, isNamed } from "./file-rules.ts";
import { withTodaysKeys } from "./former-keys.ts";
import { type DetectorPlaces, type DetectorResult, identifyDetector } from "./identify-detector.ts";
import { describeUnreadable } from "./input-files.ts";
import { settingGroups } from "./presets.ts";
import type { Path, Problem } from "./problem.ts";
import { type ResolvedSetting, resolveSettings } from "./resolve.ts";
import { exceedsMaxTrials, settingProblems, writtenProblems } from "./rules.ts";
import { explainSchemaErrors } from "./schema-problems.ts";

/** An experiment and its resolved settings. */
export interface ReadExperiment {
  experiment: Experiment;
  settings: ResolvedSetting[];
}

/** Everything outside an experiment that it depends on. */
export interface ReadOptions {
  /** The folder of prepared datasets; default: `data` in the current folder. */
  data?: string | undefined;
  /** A folder to search for detectors' weights by name, after `weights` in the current folder. */
  weights?: string | undefined;
  /** True if a detector's .pt file may be loaded, which can run code. */
  trustWeights?: boolean;
  /**
   * Finds a model file, or a trial's folder, by the name that a person gives; default: a path.
   *
   * @throws CliprpnError not_found.
   */
  findModel?(name: string): string;
  /** The splits of a dataset that have expressions; undefined (default) if it is not prepared yet. */
  findSplits?(choice: DatasetChoice): readonly Split[] | undefined;
}

/** Result of checking an experiment: its settings, as far as they are valid, and all problems found. */
export interface CheckedExperiment extends ReadExperiment {
  problems: Problem[];
}

/**
 * Checks an experiment and resolves its settings.
 *
 * @param name of the experiment's file, or of the command that made it.
 * @param folder that paths of fusion files are relative to.
 * @param cwd that all other paths are relative to.
 */
export function checkExperiment(
  written: unknown,
  name: string,
  folder: string,
  cwd: string,
  options: ReadOptions,
): CheckedExperiment {
  const { data = resolve(cwd, "data"), findSplits = () => undefined } = options;
  const value = withTodaysKeys(written);
  const invalid = explainSchemaErrors(findSchemaErrors("Experiment", value));
  const invalidPaths = invalid.map(({ path }) => path);
  const valid = invalid.length === 0 ? value : removeInvalid(value, invalidPaths);
  const experiment = resolvePaths(check("Experiment", valid, name), folder, cwd);
  const identify = identifyOnce(detectorPlaces(experiment.dataset ?? {}, data, cwd, options));
  const files = fileProblems(experiment, data, identify);
  const otherProblems = [
    ...writtenProblems(experiment),
    ...trainingProblems(experiment, { data, cwd }, findSplits),
    ...evaluationProblems(experiment, { data, cwd }, findSplits),
  ];
  const settings = exceedsMaxTrials(experiment)
    ? []
    : resolveSettings(experiment, {
        hashFusion,
        detectorOf(choice) {
          const result = identify(choice);
          return "detector" in result ? result.detector : undefined;
        },
      });
  const unknownGroups = groupsOf(
    [...invalidPaths, ...files.map(({ path }) => path)],
    [...settingGroups, "seeds"],
  );
  const broken = settingProblems(experiment, settings, unknownGroups);
  return { experiment, settings, problems: [...invalid, ...files, ...otherProblems, ...broken] };
}

function detectorPlaces(
  dataset: DatasetChoice,
  data: string,
  cwd: string,
  { weights, trustWeights = false, findModel = (name) => resolve(cwd, name) }: ReadOptions,
): DetectorPlaces {
  const { name = "demo", root } = dataset;
  return {
    cwd,
    weightsFolders: [join(cwd, "weights"), ...(weights === undefined ? [] : [resolve(cwd, weights)])],
    trustWeights,
    // A missing dataset is one problem; what detectors need on it is not reported too.
    isDemo: (name === "demo" && root === undefined) || datasetProblems(dataset, data).length > 0,
    findModel,
    hashFile: hashFileSync,
  };
}

/** Hashes a detector's file once, however many settings use it. */
function identifyOnce(places: DetectorPlaces): (choice: DetectorChoice) => DetectorResult {
  const results = new Map<string, DetectorResult>();
  return (choice) => {
    const key = JSON.stringify(choice);
    const result = results.get(key) ?? identifyDetector(choice, places);
    results.set(key, result);
    return result;
  };
}

/** Makes the paths of fusion files, dataset and weights absolute. */
function resolvePaths(experiment: Experiment, folder: string, cwd: string): Experiment {
  const copy = structuredClone(experiment);
  for (const { fusion } of fusionObjects(copy))
    if (fusion.file !== undefined) fusion.file = resolve(folder, fusion.file);
  if (copy.dataset?.root !== undefined) copy.dataset.root = resolve(cwd, copy.dataset.root);
  const weights = copy.backbone?.weights;
  if (copy.backbone !== undefined && weights !== undefined && !isNamed(weights))
    copy.backbone.weights = resolve(cwd, weights);
  return copy;
}

/** A missing file hashes as empty: it has been reported already. */
function hashFusion(file: string): string {
  const path = fusionFile(file);
  const source = describeUnreadable(path) === undefined ? readFileSync(path) : "";
  return createHash("sha256").update(source).digest("hex");
}

/**
 * Removes an experiment's invalid parts, so that the other rules can check the rest and all problems are reported at once. A
 * list with an invalid value is removed whole: later indices would shift.
 */
function removeInvalid(value: unknown, invalidPaths: Path[]): unknown {
  const parts = invalidPaths.map(removablePart).filter(({ length }) => length > 0);
  const rest = removePaths(value, parts);
  return { name: "unnamed", question: "unknown?", ...(isObject(rest) ? rest : {}) };
}

/** Half a fusion or detector, or a dataset with an unknown key, would cause follow-up problems: remove all of it. */
function removablePart(path: Path): Path {
  const choice = path.findIndex((part) => choices.includes(part));
  if (choice !== -1) return path.slice(0, choice + 1);
  return indivisible.includes(path[0]) ? path.slice(0, 1) : path;
}

const choices: unknown[] = ["fusion", "detector", "baseline.detector"];
const indivisible: unknown[] = ["dataset", "backbone", "published"];

function removePaths(value: unknown, paths: Path[]): unknown {
  if (paths.length === 0) return value;
  const pathsBelow = new Map<string | number, Path[]>();
  for (const [key, ...rest] of paths) {
    if (key === undefined) return undefined;
    const below = pathsBelow.get(key);
    if (below === undefined) pathsBelow.set(key, [rest]);
    else below.push(rest);
  }
  const keep = (item: unknown, key: string | number): unknown => removePaths(item, pathsBelow.get(key) ?? []);
  if (Array.isArray(value)) {
    const items = value.map(keep);
    return items.includes(undefined) ? undefined : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, keep(item, key)]);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The groups of settings (`rpn`, `fusion`) and the seeds that invalid parts were to set; rules on them would report false
 * problems. `*` stands for all groups: an invalid preset, or an unknown key.
 */
function groupsOf(invalidPaths: Path[], groups: string[]): Set<string> {
  const keys = invalidPaths.flatMap(([top, ...rest]) => {
    if (top === "preset") return ["*"];
    if (top === "seeds") return [top];
    if (top === "settings" || top === "vary") return [String(rest[0] ?? "*")];
    return top === "also" ? [String(rest[1] ?? "*")] : [];
  });
  return new Set(
    keys.map((key) => key.split(".")[0] ?? "*").map((group) => (groups.includes(group) ? group : "*")),
  );
}
