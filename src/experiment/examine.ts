import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { hashFileSync } from "../base/hash-file.ts";
import { check, problems as schemaProblems } from "../contract/check.ts";
import type { DatasetChoice, DetectorChoice, Experiment } from "../contract/generated/types.ts";
import { crossProblems, tooMany, writtenProblems } from "./cross-rules.ts";
import { type Explained, explain } from "./explain.ts";
import { datasetProblems, fileProblems, isNamed } from "./file-rules.ts";
import { fusionFile, fusionObjects } from "./fusion-objects.ts";
import { type DetectorPlaces, type IdentifiedDetector, identifyDetector } from "./identify-detector.ts";
import { settingGroups } from "./presets.ts";
import { type ResolvedSetting, resolveSettings } from "./resolve.ts";
import { unfitFile } from "./unfit-file.ts";
import { withoutWrong, wrongGroups } from "./wrong-parts.ts";

/** An experiment with its settings worked out. */
export interface ReadExperiment {
  experiment: Experiment;
  settings: ResolvedSetting[];
}

/** What an experiment depends on beside itself. */
export interface ReadOptions {
  /** The folder of prepared data sets; `data` in the current folder unless given. */
  data?: string | undefined;
  /** A folder in which detectors' weights are looked for by their name, after `weights` in the current folder. */
  weights?: string | undefined;
  /** Whether a detector's .pt may be loaded, which runs code. */
  trustWeights?: boolean;
  /**
   * A model file, or a trial's folder, by what a person calls it; a path unless given.
   *
   * @throws CliprpnError not_found.
   */
  findModel?(name: string): string;
}

/** What became of an experiment; of a wrong one, what its right parts came to. */
export interface Examined extends ReadExperiment {
  /** All that is wrong. */
  found: Explained[];
}

/**
 * Checks an experiment and works out its settings.
 *
 * @param name of the experiment's file, or whatever it comes from.
 * @param folder what fusion files are relative to.
 * @param cwd what all other paths are relative to.
 */
export function examine(
  value: unknown,
  name: string,
  folder: string,
  cwd: string,
  options: ReadOptions,
): Examined {
  const { data = resolve(cwd, "data") } = options;
  const wrong = explain(schemaProblems("Experiment", value));
  const paths = wrong.map(({ path }) => path);
  const experiment = withPaths(
    check("Experiment", wrong.length === 0 ? value : withoutWrong(value, paths), name),
    folder,
    cwd,
  );
  const identify = onceEach(detectorPlaces(experiment.dataset ?? {}, data, cwd, options));
  const files = fileProblems(experiment, data, identify);
  const written = writtenProblems(experiment);
  const settings = tooMany(experiment)
    ? []
    : resolveSettings(experiment, {
        hashFusion,
        detectorOf(choice) {
          const found = identify(choice);
          return "detector" in found ? found.detector : undefined;
        },
      });
  const silent = wrongGroups([...paths, ...files.map(({ path }) => path)], settingGroups);
  const crossed = crossProblems(experiment, settings, silent);
  const found = [...files, ...written, ...crossed].map((problem) => ({ ...problem, key: false }));
  return { experiment, settings, found: [...wrong, ...found] };
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
    // Of data that are not there nothing more is told.
    isDemo: (name === "demo" && root === undefined) || datasetProblems(dataset, data).length > 0,
    findModel,
    hashFile: hashFileSync,
  };
}

/** A detector's file is hashed once, in however many settings it stands. */
function onceEach(places: DetectorPlaces): (choice: DetectorChoice) => IdentifiedDetector {
  const known = new Map<string, IdentifiedDetector>();
  return (choice) => {
    const key = JSON.stringify(choice);
    const found = known.get(key) ?? identifyDetector(choice, places);
    known.set(key, found);
    return found;
  };
}

/** Fusion files become absolute, and so do the data set's root and the weights. */
function withPaths(experiment: Experiment, folder: string, cwd: string): Experiment {
  const copy = structuredClone(experiment);
  for (const { fusion } of fusionObjects(copy))
    if (fusion.file !== undefined) fusion.file = resolve(folder, fusion.file);
  if (copy.dataset?.root !== undefined) copy.dataset.root = resolve(cwd, copy.dataset.root);
  const weights = copy.backbone?.weights;
  if (copy.backbone !== undefined && weights !== undefined && !isNamed(weights))
    copy.backbone.weights = resolve(cwd, weights);
  return copy;
}

/** Of a file that is not there, nothing: that is told already. */
function hashFusion(file: string): string {
  const path = fusionFile(file);
  const source = unfitFile(path) === undefined ? readFileSync(path) : "";
  return createHash("sha256").update(source).digest("hex");
}
