import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { check, problems as schemaProblems } from "../contract/check.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Experiment } from "../contract/generated/types.ts";
import { crossProblems, tooMany, writtenProblems } from "./cross-rules.ts";
import { type Explained, explain } from "./explain.ts";
import { fileProblems, isNamed, type Placed, unfitFile } from "./file-rules.ts";
import { fusionFile, fusionObjects } from "./fusion-objects.ts";
import { applyOverrides, flagFor, type Override, parseOverrides } from "./overrides.ts";
import { presets } from "./presets.ts";
import { type ResolvedSetting, resolveSettings } from "./resolve.ts";
import { type Problem, SourceText } from "./source-text.ts";
import { withoutWrong, wrongGroups } from "./wrong-parts.ts";

/** An experiment with its settings worked out. */
export interface ReadExperiment {
  experiment: Experiment;
  settings: ResolvedSetting[];
}

/**
 * Reads and checks an experiment file.
 *
 * @param sets `--set` changes, which replace what the file says.
 * @param cwd what a data set's root and a weights file are relative to; fusion files are relative to the experiment file.
 * @param data the folder of prepared data sets.
 * @throws CliprpnError bad_input with all problems, a line each: `file:line:column  what was expected, what was found`. Only
 *   text that is no JSON is told alone.
 */
export function readExperiment(
  file: string,
  sets: string[],
  cwd: string,
  data = resolve(cwd, "data"),
): ReadExperiment {
  const source = new SourceText(file, readBytes(resolve(cwd, file)));
  if (source.syntaxProblems.length > 0) throw invalid(file, source.syntaxProblems);
  const { overrides, problems } = parseOverrides(sets);
  const value = applyOverrides(source.value, overrides);
  const wrong = explain(schemaProblems("Experiment", value));
  const paths = wrong.map(({ path }) => path);
  const experiment = withPaths(
    check("Experiment", wrong.length === 0 ? value : withoutWrong(value, paths), file),
    dirname(resolve(cwd, file)),
    cwd,
  );
  const files = fileProblems(experiment, data);
  const written = writtenProblems(experiment);
  const settings = tooMany(experiment) ? [] : resolveSettings(experiment, hashFusion);
  const silent = wrongGroups([...paths, ...files.map(({ path }) => path)], Object.keys(presets.default));
  const crossed = crossProblems(experiment, settings, silent);
  const all = [
    ...problems,
    ...source.repeatedKeys,
    ...placed([...wrong, ...files, ...written, ...crossed], source, overrides),
  ];
  if (all.length > 0) throw invalid(file, all);
  return { experiment, settings };
}

function readBytes(path: string): Uint8Array {
  if (!existsSync(path))
    throw new CliprpnError(
      "bad_input",
      `${path}: expected an experiment file, found none; \`cliprpn init\` writes one`,
    );
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliprpnError(
      "bad_input",
      `${path}: cannot be read: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

function placed(problems: (Placed | Explained)[], source: SourceText, overrides: Override[]): Problem[] {
  return problems.map(({ path, message, ...rest }) => ({
    ...(flagFor(overrides, path) ?? source.where(path, "key" in rest && rest.key)),
    message,
  }));
}

function invalid(file: string, problems: Problem[]): CliprpnError {
  const inOrder = problems.toSorted((a, b) => a.offset - b.offset);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new CliprpnError(
    "bad_input",
    [
      ...inOrder.map(({ where, message }) => `${where}  ${message}`),
      `${file}: ${count}, nothing was started`,
    ].join("\n"),
  );
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
