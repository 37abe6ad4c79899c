import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { parse } from "jsonc-parser";
import { check, problems as schemaProblems } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Experiment } from "../contract/generated/types.ts";
import { explain } from "./explain.ts";
import { applyOverrides, type Override, parseOverride } from "./overrides.ts";
import { labelOf, type ResolvedSetting, resolveSettings } from "./resolve.ts";
import { type Path, type Problem, SourceText } from "./source-text.ts";

/** An experiment with its settings worked out. */
export interface ReadExperiment {
  experiment: Experiment;
  settings: ResolvedSetting[];
}

/**
 * Reads and checks an experiment file.
 *
 * @param cwd what a data set's root is relative to; fusion files are relative to the experiment file.
 * @throws CliprpnError bad_input with all problems, a line each: `file:line:column  what was expected, what was found`.
 */
export function readExperiment(file: string, sets: string[], cwd: string): ReadExperiment {
  const overrides = sets.map(parseOverride);
  const source = new SourceText(file, readText(resolve(cwd, file)));
  const syntax = source.syntaxProblems();
  if (syntax.length > 0) throw invalid(file, syntax);
  const written: unknown = parse(source.text, [], { allowTrailingComma: true });
  const value = applyOverrides(written, overrides);
  const where = (path: Path, key = false): string =>
    overrides.find((override) => covers(override, path))?.flag ?? source.where(path, key);
  const wrong = explain(schemaProblems("Experiment", value)).map(({ path, key, message }) => ({
    where: where(path, key),
    message,
  }));
  if (wrong.length > 0) throw invalid(file, wrong);
  const experiment = withPaths(check("Experiment", value, file), dirname(resolve(cwd, file)), cwd);
  const missing = missingFiles(experiment).map(({ path, message }) => ({ where: where(path), message }));
  if (missing.length > 0) throw invalid(file, missing);
  const settings = resolveSettings(experiment, hashFusion);
  const crossed = crossProblems(experiment, settings).map(({ path, message }) => ({
    where: where(path),
    message,
  }));
  if (crossed.length > 0) throw invalid(file, crossed);
  return { experiment, settings };
}

function readText(path: string): string {
  if (!existsSync(path))
    throw new CliprpnError(
      "bad_input",
      `${path}: expected an experiment file, found none; \`cliprpn init\` writes one`,
    );
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliprpnError(
      "bad_input",
      `${path}: cannot be read: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

function invalid(file: string, problems: Problem[]): CliprpnError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new CliprpnError(
    "bad_input",
    [
      ...problems.map(({ where, message }) => `${where}  ${message}`),
      `${file}: ${count}, nothing was started`,
    ].join("\n"),
  );
}

function covers({ path }: Override, wanted: Path): boolean {
  return path.every((part, index) => wanted[index] === part);
}

/** Fusion files become absolute, and so does the data set's root. */
function withPaths(experiment: Experiment, folder: string, cwd: string): Experiment {
  const copy = structuredClone(experiment);
  for (const { holder } of fusionObjects(copy))
    if (holder.file !== undefined && !isAbsolute(holder.file)) holder.file = join(folder, holder.file);
  if (copy.dataset?.root !== undefined) copy.dataset.root = resolve(cwd, copy.dataset.root);
  const weights = copy.backbone?.weights;
  if (copy.backbone !== undefined && weights !== undefined && !isNamed(weights))
    copy.backbone.weights = resolve(cwd, weights);
  return copy;
}

function isNamed(weights: string): boolean {
  return weights === "shipped" || weights === "openai";
}

interface FusionHolder {
  file?: string;
  params?: object;
  text?: string;
  interaction?: string;
  coordinates?: string;
}

/** Every fusion that is written as an object, with its place. */
function fusionObjects(experiment: Experiment): { path: Path; holder: FusionHolder }[] {
  const places: { path: Path; value: unknown }[] = [
    { path: ["settings", "fusion"], value: experiment.settings?.fusion },
    ...(experiment.vary?.fusion ?? []).map((value, index) => ({ path: ["vary", "fusion", index], value })),
    ...(experiment.also ?? []).map((setting, index) => ({
      path: ["also", index, "fusion"],
      value: setting.fusion,
    })),
  ];
  return places.flatMap(({ path, value }) =>
    typeof value === "object" && value !== null ? [{ path, holder: value }] : [],
  );
}

interface Placed {
  path: Path;
  message: string;
}

function missingFiles(experiment: Experiment): Placed[] {
  const problems: Placed[] = [];
  for (const { path, holder } of fusionObjects(experiment)) {
    const switches = ["text", "interaction", "coordinates"].filter((key) => key in holder);
    if (holder.file === undefined) {
      if (holder.params !== undefined)
        problems.push({
          path: [...path, "params"],
          message: "params belong to a fusion with a file, found none",
        });
      else if (switches.length === 0)
        problems.push({
          path,
          message: "expected a fusion's switches (text, interaction, coordinates) or its file, found {}",
        });
      continue;
    }
    if (switches.length > 0)
      problems.push({
        path,
        message: `expected either a file or switches, found file and ${switches.join(", ")}`,
      });
    const python = fusionFile(holder.file);
    if (!existsSync(python))
      problems.push({
        path: [...path, "file"],
        message: `${python}: expected the fusion's file, found none`,
      });
  }
  const { dataset, backbone } = experiment;
  if (dataset?.root !== undefined && !existsSync(dataset.root)) {
    problems.push({
      path: ["dataset", "root"],
      message: `${dataset.root}: expected a folder with annotations/ and images/, found none`,
    });
  }
  if (dataset?.name !== undefined && dataset.name !== "demo" && dataset.root === undefined) {
    problems.push({
      path: ["dataset"],
      message: `the data set ${dataset.name} needs a root: the folder with annotations/ and images/`,
    });
  }
  if (dataset?.size !== undefined && dataset.root !== undefined) {
    problems.push({ path: ["dataset", "size"], message: "size belongs to the demo, which has no root" });
  }
  const weights = backbone?.weights;
  if (weights !== undefined && !isNamed(weights) && !existsSync(weights)) {
    problems.push({
      path: ["backbone", "weights"],
      message: `expected shipped, openai or a file, found no file ${weights}`,
    });
  }
  if (backbone?.name === "RN50-quickgelu" && weights === "shipped") {
    problems.push({
      path: ["backbone", "weights"],
      message: "no weights of RN50 are shipped; use openai or a file",
    });
  }
  if ((backbone?.name ?? "cliprpn-tiny") === "cliprpn-tiny" && weights === "openai") {
    problems.push({
      path: ["backbone", "weights"],
      message: "OpenAI has no cliprpn-tiny; use shipped, or the backbone RN50-quickgelu",
    });
  }
  return problems;
}

/** Rules that no schema can say, on every setting. */
function crossProblems(experiment: Experiment, settings: ResolvedSetting[]): Placed[] {
  const problems: Placed[] = [];
  const seen = new Map<string, ResolvedSetting>();
  for (const setting of settings) {
    const { rpn, fusion, neck_channels } = setting.settings;
    const place = placeOf(setting, experiment);
    if (rpn.bg_iou_thresh > rpn.fg_iou_thresh) {
      problems.push({
        path: place("rpn"),
        message: `rpn.bg_iou_thresh (${rpn.bg_iou_thresh}) must not exceed rpn.fg_iou_thresh (${rpn.fg_iou_thresh})`,
      });
    }
    if (fusion.kind === "switched" && neck_channels !== null && neck_channels % 8 !== 0) {
      problems.push({
        path: place("neck_channels"),
        message: `this fusion has 8 heads: expected neck_channels to be a multiple of 8, found ${neck_channels}`,
      });
    }
    if (fusion.kind === "cross_attention" && neck_channels !== null && neck_channels % 16 !== 0) {
      problems.push({
        path: place("neck_channels"),
        message: `cross_attention has 16 heads: expected neck_channels to be a multiple of 16, found ${neck_channels}`,
      });
    }
    const text = JSON.stringify(setting.settings);
    const twin = seen.get(text);
    if (twin !== undefined) {
      problems.push({
        path: setting.origin === "grid" ? ["vary"] : ["also", setting.origin.also],
        message: `${labelOf(setting)} is the same setting as ${labelOf(twin)}; keep one`,
      });
    }
    seen.set(text, setting);
  }
  const unique = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...unique.values()];
}

/** Where a setting's key was written: in `also`, in `vary` or in `settings`. */
function placeOf({ origin, varied }: ResolvedSetting, experiment: Experiment): (key: string) => Path {
  return (key) => {
    const variedKey = Object.keys(varied).find((name) => name === key || name.startsWith(`${key}.`));
    if (variedKey !== undefined)
      return origin === "grid" ? ["vary", variedKey] : ["also", origin.also, variedKey];
    return experiment.settings !== undefined && key in experiment.settings ? ["settings", key] : ["preset"];
  };
}

function hashFusion(file: string): string {
  return createHash("sha256")
    .update(readFileSync(fusionFile(file)))
    .digest("hex");
}

function fusionFile(file: string): string {
  return file.slice(0, file.lastIndexOf(":"));
}
