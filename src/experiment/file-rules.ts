import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import type {
  BackboneChoice,
  DatasetChoice,
  DetectorChoice,
  Experiment,
  FusionObject,
} from "../contract/generated/types.ts";
import { defaultDetector } from "./detectors.ts";
import type { DetectorResult } from "./identify-detector.ts";
import { describeUnreadable } from "./input-files.ts";
import { formatPath, type Path, type Problem, prefixPaths } from "./problem.ts";
import { isBaseline } from "./resolve.ts";

/**
 * Checks the files that an experiment names: fusions, detectors, dataset, weights. Their paths are absolute.
 *
 * @param data the folder of prepared datasets.
 */
export function fileProblems(
  experiment: Experiment,
  data: string,
  identify: (choice: DetectorChoice) => DetectorResult,
): Problem[] {
  const detectorProblems = detectorChoices(experiment).flatMap(({ path, choice }) => {
    const result = identify(choice);
    return "problems" in result ? prefixPaths(path, result.problems) : [];
  });
  const problems = [
    ...fusionObjects(experiment).flatMap(({ path, fusion }) => prefixPaths(path, fusionProblems(fusion))),
    ...detectorProblems,
    ...prefixPaths(["dataset"], datasetProblems(experiment.dataset ?? {}, data)),
    ...prefixPaths(["backbone"], backboneProblems(experiment.backbone ?? {})),
  ];
  return problems.map(({ path, message }) => ({ path, message: `${formatPath(path)}: ${message}` }));
}

/** Every fusion that is written as an object, with its path. */
export function fusionObjects(experiment: Experiment): { path: Path; fusion: FusionObject }[] {
  const values: { path: Path; value: unknown }[] = [
    { path: ["settings", "fusion"], value: experiment.settings?.fusion },
    ...(experiment.vary?.fusion ?? []).map((value, index) => ({ path: ["vary", "fusion", index], value })),
    ...(experiment.also ?? []).map((setting, index) => ({
      path: ["also", index, "fusion"],
      value: setting.fusion,
    })),
  ];
  return values.flatMap(({ path, value }) =>
    typeof value === "object" && value !== null ? [{ path, fusion: value }] : [],
  );
}

/** The file in `my_fusion.py:MyFusion`. */
export function fusionFile(file: string): string {
  return file.slice(0, file.lastIndexOf(":"));
}

/** True if weights are a name rather than a file. */
export function isNamed(weights: string): boolean {
  return weights === "shipped" || weights === "openai";
}

/** Every detector that is written, with its path; and the default with the path of the first setting that uses it. */
function detectorChoices(experiment: Experiment): { path: Path; choice: DetectorChoice }[] {
  const { settings = {}, vary = {}, also = [] } = experiment;
  const key = "baseline.detector";
  const written = [
    { path: ["settings", "baseline", "detector"], choice: settings.baseline?.detector },
    ...(vary[key] ?? []).map((choice, index) => ({ path: ["vary", key, index], choice })),
    ...also.map((setting, index) => ({ path: ["also", index, key], choice: setting[key] })),
  ].flatMap(({ path, choice }) => (choice === undefined ? [] : [{ path, choice }]));
  const path = settings.baseline?.detector === undefined ? firstWithoutDetector(experiment) : undefined;
  return path === undefined ? written : [...written, { path, choice: defaultDetector }];
}

function firstWithoutDetector({ vary = {}, also = [] }: Experiment): Path | undefined {
  const hasNone = (keys: object): boolean => isBaseline(keys) && !("baseline.detector" in keys);
  if (hasNone(vary)) return ["vary"];
  const index = also.findIndex(hasNone);
  return index === -1 ? undefined : ["also", index];
}

function fusionProblems(fusion: FusionObject): Problem[] {
  const switches = ["text", "interaction", "coordinates"].filter((key) => key in fusion);
  if (fusion.file === undefined) {
    if (fusion.params !== undefined)
      return [{ path: ["params"], message: "only valid for a fusion with a file" }];
    if (switches.length > 0) return [];
    return [
      {
        path: [],
        message: "expected a fusion's switches (text, interaction, coordinates) or its file, found {}",
      },
    ];
  }
  const problems: Problem[] = [];
  if (switches.length > 0)
    problems.push({
      path: [],
      message: `expected either a file or switches, found file and ${switches.join(", ")}`,
    });
  const unreadable = describeUnreadable(fusionFile(fusion.file));
  if (unreadable !== undefined)
    problems.push({ path: ["file"], message: `expected a Python file with the fusion, found ${unreadable}` });
  return [...problems, ...prefixPaths(["params"], infiniteNumbers(fusion.params))];
}

/** Numbers that are too large for a number of JSON (1e999): Python would get null in their place. */
function infiniteNumbers(value: unknown): Problem[] {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    return [{ path: [], message: "expected a finite number, found one that is too large" }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    prefixPaths([Array.isArray(value) ? Number(key) : key], infiniteNumbers(item)),
  );
}

export function datasetProblems(
  { name = "demo", root, split_by = "umd", size }: DatasetChoice,
  data: string,
): Problem[] {
  if (root === undefined) {
    if (name !== "demo") return nameProblems(name, data);
    return split_by === "umd"
      ? []
      : [{ path: ["split_by"], message: `expected umd for the demo, found ${split_by}` }];
  }
  const problems: Problem[] = [];
  if (size !== undefined)
    problems.push({ path: ["size"], message: "only valid for the demo, which has no root" });
  if (existsSync(join(root, "dataset.json"))) return problems;
  const missing = existsSync(root) ? missingParts(root, split_by) : "no such folder";
  if (missing !== undefined)
    problems.push({
      path: ["root"],
      message: `${root}: expected a prepared dataset, or a folder with annotations/ and images/; found ${missing}`,
    });
  return problems;
}

/** A name is that of a prepared dataset, with or without the name of its splits. */
function nameProblems(name: string, data: string): Problem[] {
  const prepared = existsSync(data)
    ? readdirSync(data).filter((each) => existsSync(join(data, each, "dataset.json")))
    : [];
  if (prepared.some((each) => each === name || each.startsWith(`${name}-`))) return [];
  return [
    {
      path: ["name"],
      message: `expected demo, or a dataset in ${data}, found ${name}.${didYouMean(name, prepared) || " Run `cliprpn prepare` to create one"}`,
    },
  ];
}

/** The missing parts of a folder in RefCOCOg's original layout; undefined if it is complete. */
function missingParts(root: string, split_by: string): string | undefined {
  if (!statSync(root).isDirectory()) return "a file";
  const required = ["annotations/instances.json", `annotations/refs(${split_by}).p`, "images"];
  const missing = required.filter((name) => !existsSync(join(root, name)));
  if (missing.length === 0) return undefined;
  const otherSplit = ["umd", "google", "unc"].find((by) =>
    existsSync(join(root, `annotations/refs(${by}).p`)),
  );
  const hasOther = missing.some((name) => name.includes("refs")) && otherSplit !== undefined;
  return `no ${missing.join(", no ")}.${hasOther ? ` Did you mean split_by ${otherSplit}?` : ""}`;
}

function backboneProblems({ name = "cliprpn-tiny", weights }: BackboneChoice): Problem[] {
  const problem = (message: string): Problem[] => [{ path: ["weights"], message }];
  if (weights === undefined) return [];
  if (name === "RN50-quickgelu" && weights === "shipped")
    return problem("no RN50 weights are shipped; use openai or a file");
  if (name === "cliprpn-tiny" && weights === "openai")
    return problem(
      "OpenAI publishes no cliprpn-tiny weights; use shipped, or the backbone RN50-quickgelu with openai",
    );
  const unreadable = isNamed(weights) ? undefined : describeUnreadable(weights);
  return unreadable === undefined ? [] : problem(`expected shipped, openai or a file, found ${unreadable}`);
}
