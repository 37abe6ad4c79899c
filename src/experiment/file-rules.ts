import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { hint } from "../base/hint.ts";
import type {
  BackboneChoice,
  DatasetChoice,
  DetectorChoice,
  Experiment,
  FusionObject,
} from "../contract/generated/types.ts";
import { nameOf } from "./explain.ts";
import { fusionFile, fusionObjects } from "./fusion-objects.ts";
import type { IdentifiedDetector } from "./identify-detector.ts";
import { below, type Placed } from "./placed.ts";
import { unfitFile } from "./unfit-file.ts";
import { writtenDetectors } from "./written-detectors.ts";

/**
 * Rules on what an experiment points at: fusions, detectors, data, weights. Paths are absolute by now.
 *
 * @param data the folder of prepared data sets.
 */
export function fileProblems(
  experiment: Experiment,
  data: string,
  identify: (choice: DetectorChoice) => IdentifiedDetector,
): Placed[] {
  const detectors = writtenDetectors(experiment).flatMap(({ path, choice }) => {
    const found = identify(choice);
    return "problems" in found ? below(path, found.problems) : [];
  });
  const problems = [
    ...fusionObjects(experiment).flatMap(({ path, fusion }) => below(path, fusionProblems(fusion))),
    ...detectors,
    ...below(["dataset"], datasetProblems(experiment.dataset ?? {}, data)),
    ...below(["backbone"], backboneProblems(experiment.backbone ?? {})),
  ];
  return problems.map(({ path, message }) => ({ path, message: `${nameOf(path)}: ${message}` }));
}

/** Weights that are no file. */
export function isNamed(weights: string): boolean {
  return weights === "shipped" || weights === "openai";
}

function fusionProblems(fusion: FusionObject): Placed[] {
  const switches = ["text", "interaction", "coordinates"].filter((key) => key in fusion);
  if (fusion.file === undefined) {
    if (fusion.params !== undefined)
      return [{ path: ["params"], message: "belong to a fusion with a file, found none" }];
    if (switches.length > 0) return [];
    return [
      {
        path: [],
        message: "expected a fusion's switches (text, interaction, coordinates) or its file, found {}",
      },
    ];
  }
  const problems: Placed[] = [];
  if (switches.length > 0)
    problems.push({
      path: [],
      message: `expected either a file or switches, found file and ${switches.join(", ")}`,
    });
  const unfit = unfitFile(fusionFile(fusion.file));
  if (unfit !== undefined)
    problems.push({ path: ["file"], message: `expected the fusion's file, found ${unfit}` });
  return problems;
}

export function datasetProblems(
  { name = "demo", root, split_by = "umd", size }: DatasetChoice,
  data: string,
): Placed[] {
  if (root === undefined) {
    if (name !== "demo") return nameProblems(name, data);
    return split_by === "umd"
      ? []
      : [{ path: ["split_by"], message: `the demo is split by umd, found ${split_by}` }];
  }
  const problems: Placed[] = [];
  if (size !== undefined)
    problems.push({ path: ["size"], message: "size belongs to the demo, which has no root" });
  if (existsSync(join(root, "dataset.json"))) return problems;
  const lacking = existsSync(root) ? lackingOf(root, split_by) : "no such folder";
  if (lacking !== undefined)
    problems.push({
      path: ["root"],
      message: `${root}: expected a prepared data set, or a folder with annotations/ and images/; found ${lacking}`,
    });
  return problems;
}

/** A name is that of a prepared data set, whole or without who split it. */
function nameProblems(name: string, data: string): Placed[] {
  const there = existsSync(data)
    ? readdirSync(data).filter((each) => existsSync(join(data, each, "dataset.json")))
    : [];
  if (there.some((each) => each === name || each.startsWith(`${name}-`))) return [];
  return [
    {
      path: ["name"],
      message: `expected demo, or a data set in ${data}, found ${name}.${hint(name, there) || " `cliprpn prepare` makes one"}`,
    },
  ];
}

/** What a folder in RefCOCOg's own layout has and this one has not. */
function lackingOf(root: string, split_by: string): string | undefined {
  if (!statSync(root).isDirectory()) return "a file";
  const needed = ["annotations/instances.json", `annotations/refs(${split_by}).p`, "images"];
  const lacking = needed.filter((name) => !existsSync(join(root, name)));
  if (lacking.length === 0) return undefined;
  const other = ["umd", "google", "unc"].find((by) => existsSync(join(root, `annotations/refs(${by}).p`)));
  const isOther = lacking.some((name) => name.includes("refs")) && other !== undefined;
  return `no ${lacking.join(", no ")}.${isOther ? ` Did you mean split_by ${other}?` : ""}`;
}

function backboneProblems({ name = "cliprpn-tiny", weights }: BackboneChoice): Placed[] {
  const problem = (message: string): Placed[] => [{ path: ["weights"], message }];
  if (weights === undefined) return [];
  if (name === "RN50-quickgelu" && weights === "shipped")
    return problem("no weights of RN50 are shipped; use openai or a file");
  if (name === "cliprpn-tiny" && weights === "openai")
    return problem("OpenAI has no cliprpn-tiny; use shipped, or the backbone RN50-quickgelu");
  const unfit = isNamed(weights) ? undefined : unfitFile(weights);
  return unfit === undefined ? [] : problem(`expected shipped, openai or a file, found ${unfit}`);
}
